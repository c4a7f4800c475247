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
                claims: claims, expires: read.expires, source: .person(generation: read.person.generation),
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
        return .success(person.groups == caller.groups ? caller : caller.moved(to: person.groups))
    }
}
