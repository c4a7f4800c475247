extension HubServer {
    /// Takes other keys than it was started with, while it runs: a new one is good at once, and whoever is connected under
    /// one that is gone is shut out within a second.
    public func replace(keys: APIKeys) { identity.authenticator.replace(keys: keys) }
}
