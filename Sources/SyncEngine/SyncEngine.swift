// Outbox, pull and connection machines with their remotes; fills DataStore's SyncDriver.
