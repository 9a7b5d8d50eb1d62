"""English words whose full stop is not, or not always, the end of a sentence.

Written as running words, because that is how they are read and added to.
"""
# ruff: noqa: SIM905

NEVER_LAST = frozenset(
    "mr mrs ms mx dr prof rev hon st mt ft gen col maj capt cmdr lt sgt cpl gov sen rep pres amb messrs mme mlle "
    "vs e.g i.e cf viz approx ca eg ie".split()
)
"""Something always follows."""

BEFORE_NUMBER = frozenset(
    "no nos nr art fig figs vol vols ch chap sec sect eq p pp pg pt par ver v ed dept ext "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun".split()
)
"""Abbreviations before a number; otherwise words that may well end a sentence ("No.")."""

OFTEN_LAST = frozenset("etc a.m p.m am pm al".split())
"""The end of a sentence if a capital follows."""

SELDOM_LAST = frozenset("jr sr inc ltd co corp bros plc esq ph.d m.d b.a b.sc m.a m.sc d.c ave blvd rd est".split())
"""The end of a sentence only if a word follows that begins sentences."""

STARTERS = frozenset(
    "the a an this that these those he she it we they i you his her its our their my your there here in on at by for "
    "from with when while if as after before since although but and or so yet however then now what who why how where "
    "which is are was were do does did can could will would should may not no yes please let to one some many most "
    "all both each every another finally first next also".split()
)
"""Words that, capitalised after such a full stop, begin a new sentence."""
