"""A run for readers: the JSON document with its schema, the table on a terminal, the HTML page."""
