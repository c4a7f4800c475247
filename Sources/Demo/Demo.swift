// A sample warehouse made by code, and the scripted shift that plays it.
