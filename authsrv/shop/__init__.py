"""Resources without a vendor's words: the catalogue and the orders."""
