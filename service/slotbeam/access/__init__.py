"""Access to the control plane: secrets, tokens, who may do what, and the trail of who did."""
