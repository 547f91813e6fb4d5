"""The set-up of a work tree, in steps that are repeated only when their inputs change."""
