import Basics
import Transport

/// Fetches an issuer's keys over HTTP: its configuration first, where nobody says where they are.
struct IssuerFetcher: Sendable {
    private static let timeout: Int64 = 10_000

    let options: IssuerOptions
    let loop: WebSocketLoop

    /// Fetches the key set's bytes.
    func fetch(_ completion: @escaping @Sendable (Result<[UInt8], IssuerFailure>) -> Void) {
        if let url = options.keysURL { return get(url, completion) }
        get(options.configurationURL) { result in
            switch result {
            case .failure(let failure): completion(.failure(failure))
            case .success(let bytes):
                guard let json = try? JSONValue(parsing: bytes), let url = json["jwks_uri"]?.string else {
                    return completion(.failure(IssuerFailure("its configuration names no jwks_uri")))
                }
                guard json["issuer"]?.string == options.url else {
                    let name = printable(json["issuer"]?.string ?? "nothing")
                    return completion(.failure(IssuerFailure("it calls itself \(name)")))
                }
                get(url, completion)
            }
        }
    }

    private func get(_ url: String, _ completion: @escaping @Sendable (Result<[UInt8], IssuerFailure>) -> Void) {
        let client: HTTPClient
        let parts: URLParts
        do {
            parts = try IssuerOptions.check(url)
            var limits = HTTPClientOptions()
            limits.maximumConnections = 1
            limits.maximumBodyBytes = 1 << 20
            client = try HTTPClient(loop: loop, origin: parts, options: limits)
        } catch {
            return completion(.failure(IssuerFailure("\(error)")))
        }
        let request = HTTPRequest(
            method: "GET", path: parts.path, query: parts.query, headers: ["accept": "application/json"])
        client.send(request, timeoutMilliseconds: Self.timeout) { result in
            client.close()
            switch result {
            case .failure(let error): completion(.failure(IssuerFailure("\(error)")))
            case .success(let response) where response.status == 200: completion(.success(response.body))
            case .success(let response):
                completion(.failure(IssuerFailure("\(printable(parts.path)) answers \(response.status)")))
            }
        }
    }
}
