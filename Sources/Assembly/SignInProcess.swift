import AppSync
import Basics
import SyncEngine
import System
import Transport

/// Signs a person in at a hub, with badge and PIN.
package enum SignInProcess {
    /// What the hub gives.
    package struct Token: Sendable, Hashable {
        /// The token; it is shown in the header `authorization`.
        package let text: String
        /// When it ends.
        package let expires: DateTime
        /// The person's id.
        package let person: String
        /// What he may act as.
        package let groups: [String]
    }

    /// The hub's answer to a wrong PIN, a lock, or too many tries.
    package struct Refused: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Asks the hub at `url`, which ends in `/graphql`, for a token.
    ///
    /// - Parameters:
    ///   - key: the terminal's own key, where it has one.
    ///   - earlier: the token of an earlier sign-in at this hub, good or run out: where one is kept, wrong PINs that others
    ///     give elsewhere shut nobody out.
    ///   - tls: whom to believe under `https`; those that the system trusts for nil.
    /// - Throws: ``Refused`` with the hub's words, or `TransportError`.
    package static func run(
        url: String, badge: String, pin: String, device: String? = nil, key: String? = nil,
        earlier: String? = nil, tls: TLSClientContext? = nil
    ) async throws -> Token {
        var address = try URLParts(url)
        guard address.path.hasSuffix("/graphql") else { throw Refused(description: "\(url) does not end in /graphql") }
        address.path = String(address.path.dropLast("/graphql".count)) + "/login"
        var body: JSONObject = ["badge": .string(badge), "pin": .string(pin)]
        if let device { body["device"] = .string(device) }
        var headers: HTTPHeaders = ["content-type": "application/json"]
        if let key { headers.append(HeaderName.apiKey, key) }
        if let earlier { headers.append(HeaderName.authorization, earlier) }
        let loop = try WebSocketLoop(name: "sign-in")
        defer { loop.stop() }
        let client = try HTTPClient(loop: loop, origin: address, tls: tls)
        let answer = try await client.send(
            HTTPRequest(path: address.path, headers: headers, body: JSONValue.object(body).bytes),
            timeoutMilliseconds: 30_000)
        let json = try? JSONValue(parsing: answer.body)
        guard answer.status == 200, let token = json?["token"]?.string, let expires = json?["expiresAt"]?.integer else {
            throw Refused(description: json?["message"]?.string ?? "the hub answers \(answer.status)")
        }
        return Token(
            text: token, expires: DateTime(milliseconds: expires), person: json?["person"]?.string ?? "",
            groups: json?["groups"]?.array?.compactMap(\.string) ?? [])
    }
}
