// The rules of counting, pure.
