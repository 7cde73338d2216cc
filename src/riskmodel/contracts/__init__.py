"""The nouns and their rules: everything below every other room, importing none of them."""
