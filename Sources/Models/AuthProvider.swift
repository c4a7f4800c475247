/// How a caller of a backend has shown who he is: what `@auth(rules: [{ provider: … }])` names.
public enum AuthProvider: String, Sendable, Hashable, CaseIterable {
    /// An API key.
    case apiKey
    /// A token of the backend's own people: Cognito's user pools at AppSync, badge and PIN at our hub.
    case userPools
    /// A token of an OpenID Connect issuer.
    case oidc
    /// A request signed with AWS credentials.
    case iam
    /// A token that a function judges.
    case function

    /// Reads a provider as schemas write it; `identityPool` is a newer name of `iam`.
    public init?(name: String) {
        self.init(rawValue: name == "identityPool" ? "iam" : name)
    }
}

extension AuthRule {
    /// Whose callers the rule is for: what it names, else what Amplify takes for its strategy.
    public var authProvider: AuthProvider {
        if let provider, let named = AuthProvider(name: provider) { return named }
        switch allow {
        case .owner, .groups, .private: return .userPools
        case .public: return .apiKey
        case .custom: return .function
        }
    }
}
