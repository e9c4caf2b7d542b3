"""Who trained whom: from resource person to trainer to class to companion."""
