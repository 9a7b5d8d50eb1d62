"""REST for programs and for the portal's own pages."""
