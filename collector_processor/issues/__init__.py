"""Issues: what was counted, once; what state it is in; who owns it. ``store.IssueStore`` is the door."""
