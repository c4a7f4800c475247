// The app: the counter's screens and the supervisor's view, on a local DataStore.
