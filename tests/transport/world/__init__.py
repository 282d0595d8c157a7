"""The world behind the lab's interface; no sockets here."""
