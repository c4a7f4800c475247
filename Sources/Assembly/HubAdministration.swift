import AppSync
import Basics
import SyncEngine
import System
import Transport

/// Requests of an admin to a hub that runs, beside its GraphQL.
enum HubAdministration {
    /// Why nothing was sent.
    struct Unreachable: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    /// Sends one request to a path of the hub, such as `/schema`, under the link's credentials.
    static func send(
        _ method: String, _ path: String, query: String? = nil, _ body: [UInt8] = [], to link: HubLink
    ) async throws -> HTTPResponse {
        var address = try URLParts(link.url)
        guard address.path.hasSuffix("/graphql") else {
            throw Unreachable(description: "\(link.url) does not end in /graphql")
        }
        address.path = String(address.path.dropLast("/graphql".count)) + path
        var headers: HTTPHeaders = ["content-type": "application/json"]
        switch link.credentials {
        case .apiKey(let key): headers.append(HeaderName.apiKey, key)
        case .token(let token): headers.append(HeaderName.authorization, token)
        }
        let loop = try WebSocketLoop(name: "administration")
        defer { loop.stop() }
        let client = try HTTPClient(loop: loop, origin: address, tls: link.tls)
        // A backup of a large hub and new indexes take their time.
        return try await client.send(
            HTTPRequest(method: method, path: address.path, query: query, headers: headers, body: body),
            timeoutMilliseconds: 600_000)
    }
}
