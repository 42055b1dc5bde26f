"""Storage: the ports, where blobs lie, and one adapter per backing service."""
