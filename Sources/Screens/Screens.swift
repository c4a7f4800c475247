// Screen files, CellGrid, Key and Scan, pure.
