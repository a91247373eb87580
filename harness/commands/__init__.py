"""Commands of ``hvcert`` that are not ``run``; heavy imports stay inside them."""
