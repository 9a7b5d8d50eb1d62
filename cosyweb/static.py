"""Static files under names that carry their hash, ES module imports included."""

from servestatic.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # servestatic ships no types
    """Django leaves ``import`` statements of JavaScript modules unhashed unless asked."""

    support_js_module_import_aggregation = True
