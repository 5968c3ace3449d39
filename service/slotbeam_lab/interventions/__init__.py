"""Unseen words, bound: are their items found, and in what order?"""
