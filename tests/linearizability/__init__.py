"""Histories of concurrent clients, and whether some order of their operations explains every answer."""
