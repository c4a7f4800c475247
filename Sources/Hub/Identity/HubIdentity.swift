import Basics
import Crypto
import Transport

/// Everything by which a running hub tells who its callers are, put together.
final class HubIdentity: Sendable {
    let service: IdentityService
    let authenticator: Authenticator
    private let issuers: [IssuerValidator]
    /// Where issuers are asked; no terminal's connection lives there. Nil where there are none.
    private let issuerLoop: WebSocketLoop?
    private let authorizer: FunctionAuthorizer?
    private let time: any TimeSource

    /// - Throws: `TransportError` where issuers cannot be asked at all.
    init(_ options: HubOptions) throws(TransportError) {
        let (time, log) = (options.time, options.log)
        self.time = time
        let service = IdentityService(options.identity, time: time, random: options.random, log: log)
        let issuers = options.identity.issuers.map { IssuerValidator($0, time: time, log: log) }
        self.service = service
        self.issuers = issuers
        issuerLoop = issuers.isEmpty ? nil : try WebSocketLoop(name: "hub-issuers")
        let pattern = options.resolvers.authorizerPattern
        let authorizer = options.resolvers.authorizer.map {
            FunctionAuthorizer(function: $0, pattern: pattern, time: time, log: log)
        }
        self.authorizer = authorizer
        var validators: [any TokenValidator] = [PeopleValidator(identity: service)] + issuers
        // Last: it gets what nobody else here knows.
        if let authorizer { validators.append(authorizer) }
        authenticator = Authenticator(keys: options.keys, stored: service, validators: validators)
    }

    /// Opens the tables; `onChange` is called whenever callers must be looked at again.
    func open(path: String, onChange: @escaping @Sendable () -> Void) throws {
        let authenticator = authenticator
        try service.open(path: path) {
            authenticator.noteChange()
            onChange()
        }
        for issuer in issuers {
            if let bytes = try service.issuerKeys(issuer.options.url) { issuer.restore(bytes) }
        }
    }

    /// Begins to fetch issuers' keys.
    func connectIssuers() {
        guard let issuerLoop else { return }
        let (service, authenticator) = (service, authenticator)
        for issuer in issuers {
            let fetcher = IssuerFetcher(options: issuer.options, loop: issuerLoop)
            issuer.connect {
                fetcher.fetch($0)
            } onChange: { bytes in
                authenticator.noteChange()
                service.keep(issuerKeys: bytes, of: issuer.options.url)
            }
        }
    }

    /// Looks after what changes with time; to be called twice a second.
    func poll() {
        service.poll()
        for issuer in issuers { issuer.refreshIfOld() }
    }

    /// Lets the authorizer function be called.
    func connect(_ functions: FunctionRunner, _ name: String?) {
        guard let authorizer, let name else { return }
        let authenticator = authenticator
        authorizer.connect {
            functions.call(name, $0, isPreferred: $1, completion: $2)
        } onChange: {
            authenticator.noteChange()
        }
    }

    /// Calls `body` when the credentials of a request can be judged: at once, or when an issuer's new keys or the
    /// authorizer's answer are here.
    func whenReady(_ credentials: Credentials, _ request: [UInt8], _ body: @escaping @Sendable () -> Void) {
        guard !credentials.isSigned, credentials.apiKey == nil, let text = credentials.token else { return body() }
        let token = try? JSONWebToken(parsing: text)
        if let token, let issuer = issuers.first(where: { $0.options.url == token.claims["iss"]?.string }) {
            return issuer.whenReady(token, body)
        }
        // The hub's own people are not its business.
        guard let authorizer, token?.claims["iss"]?.string != PeopleTokens.name else { return body() }
        authorizer.whenReady(credentials, request, body)
    }

    /// Whether there is anything that credentials may have to wait for.
    var mayWait: Bool { !issuers.isEmpty || authorizer != nil }

    /// Answers `POST /login` and `POST /login/refresh`.
    func answer(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let credentials = Credentials(request.headers)
        let now = time.now().milliseconds
        guard request.path == "/login" else {
            return responder.respond(
                HTTPResponse(
                    service.renew(credentials, from: request.peerAddress, request: request.id), now: now))
        }
        // A terminal that shows its own key signs people in at itself.
        var terminal: Caller?
        if credentials.apiKey != nil, case .success(let caller) = authenticator.caller(credentials, now: now) {
            terminal = caller
        }
        service.signIn(request, address: request.peerAddress, terminal: terminal) {
            responder.respond(HTTPResponse($0, now: now))
        }
    }

    func stop() {
        issuerLoop?.stop()
        service.stop()
    }
}
