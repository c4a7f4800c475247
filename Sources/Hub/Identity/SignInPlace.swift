import Transport

/// Where somebody tries to sign in: wrong PINs are counted under the badge and the place together, so that whoever guesses
/// locks his own place and not the badge's owner.
struct SignInPlace: Sendable, Hashable {
    /// As it is stored, and shown to the hub's keeper.
    let text: String
    /// Where the place is one of those that only its neighbours know of, the crowd whose wrong PINs are counted together.
    let crowd: Crowd?

    /// Who cannot be told apart by anything that is hard to come by.
    enum Crowd: String, Sendable {
        /// Whoever shows nothing: addresses cost nothing.
        case strangers = "all other addresses"
        /// Terminals with a key; somebody may have taken several.
        case terminals = "all other terminals"
    }

    /// Whatever an address shows.
    init(address: String) {
        text = AddressCensus.key(address).map { "address \($0)" } ?? "this machine"
        crowd = .strangers
    }

    /// Whoever shows a good key. The key counts and not the terminal that it may name: a key that is for no terminal could
    /// name a new one for each try.
    init(terminal caller: Caller) {
        if case .storedKey(let id) = caller.source {
            text = "key \(id)"
        } else {
            text = "configured key \(caller.fingerprint)"
        }
        crowd = .terminals
    }

    /// Where a token from an earlier sign-in of the same person was kept, good or run out. Each costs one right PIN, so that
    /// there is no crowd of them.
    init(signedIn: Int64) {
        text = "sign-in of \(signedIn / 1000)"
        crowd = nil
    }
}
