"""`slotbeam bench`: what a query costs, and how soon an edit is live."""
