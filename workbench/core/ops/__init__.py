"""The ops. One class declares all there is to know of an op; a family shares a file."""
