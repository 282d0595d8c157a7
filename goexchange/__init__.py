"""goexchange: declarative, guarded maintenance of Exchange Server databases."""

__version__ = "0.1.0"
