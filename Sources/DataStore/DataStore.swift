// The public API of the store, and the outbox table.
