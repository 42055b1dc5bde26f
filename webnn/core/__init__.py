"""The pure middle: records, weights, the wire format and the merge rules. No I/O, no clock, no randomness."""
