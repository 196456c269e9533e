"""`/store`: who works in a store sees its apps and customers, and its owner decides who else works there."""
