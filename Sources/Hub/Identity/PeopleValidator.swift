import Basics
import Crypto

/// Believes the tokens that the hub gives its own people.
struct PeopleValidator: TokenValidator {
    let identity: IdentityService

    func validate(_ token: PresentedToken, now: Int64) -> TokenVerdict {
        guard case .success(let parsed) = token.parsed,
            let result = identity.tokens.read(parsed, identity.snapshot, now: now)
        else { return .notMine }
        switch result {
        case .failure(let refusal): return .refused(refusal)
        case .success(let read):
            let claims = Dictionary(read.claims.members.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
            var caller = Caller(
                // What the person may do now, not when the token was made.
                groups: read.person.groups, person: read.person.id, device: read.device, provider: .userPools,
                claims: Self.claims(claims, of: read.person), expires: read.expires,
                source: .person(generation: read.person.generation),
                fingerprint: token.fingerprint)
            caller.isDeviceProven = read.device != nil && read.isDeviceProven
            return .caller(caller)
        }
    }

    func refreshed(_ caller: Caller, now: Int64) -> Result<Caller, AuthRefusal>? {
        guard case .person(let generation) = caller.source else { return nil }
        guard let person = caller.person.flatMap({ identity.snapshot.people[$0] }) else {
            return .failure(.withdrawn("its person is not here any more"))
        }
        guard person.generation == generation else { return .failure(.withdrawn("it was made under another PIN")) }
        guard person.groups != caller.groups else { return .success(caller) }
        return .success(caller.moved(to: person.groups, claims: Self.claims(caller.claims, of: person)))
    }

    /// A token's claims with the groups that the person is in now: rules may read them from the claim.
    private static func claims(_ claims: [String: JSONValue], of person: StoredPerson) -> [String: JSONValue] {
        var claims = claims
        claims["groups"] = .array(person.groups.sorted().map { .string($0) })
        return claims
    }
}
