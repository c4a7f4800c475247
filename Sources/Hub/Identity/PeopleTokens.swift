import Basics
import Crypto

/// How long the hub's own people stay signed in.
public struct TokenLifetimes: Sendable, Hashable {
    /// Milliseconds for which a token is good.
    public var token: Int64 = 12 * 3_600_000
    /// Milliseconds after a PIN was given during which its token may be renewed.
    public var session: Int64 = 7 * 86_400_000

    /// Half a day, renewed for a week.
    public init() {}
}

/// Makes and reads the tokens of the hub's own people: JWTs with HS256, under a secret that stays in the hub.
struct PeopleTokens: Sendable {
    /// What its tokens name as issuer and audience.
    static let name = "bincount"
    private static let provenClaim = "device_proven"

    let lifetimes: TokenLifetimes

    /// A token for a person who gave his PIN at `signedIn`, good from now on.
    ///
    /// - Parameter isDeviceProven: whether the device has shown its own key, not only said which one it is.
    func make(
        _ person: StoredPerson, device: String?, isDeviceProven: Bool = false, signedIn: Int64, secret: [UInt8],
        now: Int64, id: String
    ) -> (token: String, expires: Int64) {
        // Whole seconds, as the claims are; the end of the session ends the token.
        let expires = min(now + lifetimes.token, signedIn + lifetimes.session) / 1000 * 1000
        var claims: JSONObject = [
            "iss": .string(Self.name), "aud": .string(Self.name), "sub": .string(person.id),
            "username": .string(person.badge), "groups": .array(person.groups.sorted().map { .string($0) }),
            "iat": .integer(now / 1000), "exp": .integer(expires / 1000), "auth_time": .integer(signedIn / 1000),
            "gen": .integer(person.generation), "jti": .string(id),
        ]
        if let device {
            claims["device"] = .string(device)
            if isDeviceProven { claims[Self.provenClaim] = true }
        }
        return (JSONWebToken.make(claims, secret: secret), expires)
    }

    /// When the PIN was given that a token comes from, whether the token's time is over or not; nil where it is not this
    /// hub's, another badge's, or was made under an older PIN. It opens nothing: it says that its holder was let in once.
    func signedIn(_ text: String, badge: String, _ snapshot: AccessSnapshot) -> Int64? {
        guard let token = try? JSONWebToken(parsing: text), token.claims["iss"]?.string == Self.name,
            !snapshot.secret.isEmpty, token.isSigned(with: snapshot.secret),
            let person = snapshot.person(badge: badge), token.claims["sub"]?.string == person.id,
            token.claims["gen"]?.integer == person.generation, let signedIn = token.claims["auth_time"]?.integer
        else { return nil }
        return signedIn * 1000
    }

    /// What a token says, once its signature and times are right.
    struct Read: Sendable {
        let claims: JSONObject
        let person: StoredPerson
        let device: String?
        let isDeviceProven: Bool
        let expires: Int64
        let signedIn: Int64
    }

    /// Reads a token; nil where it is not one of these.
    func read(_ token: JSONWebToken, _ snapshot: AccessSnapshot, now: Int64) -> Result<Read, AuthRefusal>? {
        guard token.claims["iss"]?.string == Self.name else { return nil }
        guard !snapshot.secret.isEmpty, token.isSigned(with: snapshot.secret) else {
            return .failure(.token("it was not signed by this hub"))
        }
        let expires: Int64
        do throws(TokenRules.Problem) {
            // The hub's own clock made it: no leeway for its end, some for a clock that was set back since.
            let rules = TokenRules(issuer: Self.name, audiences: [Self.name], leeway: 60_000)
            expires = try rules.check(token.claims, now: now)
        } catch {
            switch error {
            case .expired: return .failure(.expired)
            case .wrong(let reason): return .failure(.token(reason))
            }
        }
        guard expires > now else { return .failure(.expired) }
        guard let id = token.claims["sub"]?.string, let person = snapshot.people[id] else {
            return .failure(.withdrawn("its person is not here any more"))
        }
        guard token.claims["gen"]?.integer == person.generation else {
            return .failure(.withdrawn("it was made under another PIN"))
        }
        return .success(
            Read(
                claims: token.claims, person: person, device: token.claims["device"]?.string,
                isDeviceProven: token.claims[Self.provenClaim]?.bool ?? false, expires: expires,
                signedIn: (token.claims["auth_time"]?.integer ?? 0) * 1000))
    }
}

extension AuthRefusal {
    /// A token that was good and is not any more, though its time has not come.
    static func withdrawn(_ detail: String) -> AuthRefusal {
        AuthRefusal(.expired, "Token has expired.", detail: detail)
    }
}
