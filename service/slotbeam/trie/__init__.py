"""The CSR trie over SIDs."""
