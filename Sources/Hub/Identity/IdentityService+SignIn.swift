import AppSync
import Basics
import Crypto
import Transport

/// Why somebody is not signed in, as `POST /login` answers it.
struct SignInRefusal: Error, Sendable, Hashable {
    let status: Int
    let errorType: String
    let message: String
    var retryAfter: Int64?

    /// The same whether the badge is unknown or the PIN wrong.
    static let wrong = SignInRefusal(
        status: 401, errorType: ErrorType.unauthorizedException, message: "The badge or the PIN is wrong.")
    static let malformed = SignInRefusal(
        status: 400, errorType: ErrorType.badRequestException,
        message: "POST /login takes JSON: {\"badge\": …, \"pin\": …, \"device\": …}, the device if it has a code.")
    static let busy = SignInRefusal(
        status: 503, errorType: "ThrottledException", message: "Too many are signing in; try again.", retryAfter: 2000)
    static let foreignDevice = SignInRefusal(
        status: 401, errorType: ErrorType.unauthorizedException,
        message: "The device has a key of its own and must show it to sign somebody in.")

    /// Too many tries; where the badge itself is locked, and not the address held back, there is a way out, which is told
    /// for badges that nobody has as well.
    static func wait(_ milliseconds: Int64, lockedBadge badge: String?) -> SignInRefusal {
        let seconds = (milliseconds + 999) / 1000
        let help = badge.map { ", or have the hub's keeper run `\(unlocking($0))`" } ?? ""
        return SignInRefusal(
            status: 429, errorType: "TooManyRequestsException",
            message: "Too many tries; try again in \(seconds) s\(help).", retryAfter: milliseconds)
    }

    /// What ends a badge's lock.
    static func unlocking(_ badge: String) -> String {
        "bincount hub person unlock \(printable(String(badge.prefix(80))))"
    }

    init(status: Int, errorType: String, message: String, retryAfter: Int64? = nil) {
        self.status = status
        self.errorType = errorType
        self.message = message
        self.retryAfter = retryAfter
    }

    init(_ refusal: AuthRefusal) {
        self.init(status: refusal.status, errorType: refusal.errorType, message: refusal.message)
    }
}

/// What somebody gets who signs in.
struct SignIn: Sendable, Hashable {
    let token: String
    let expires: Int64
    let person: String
    let groups: Set<String>
}

extension IdentityService {
    /// `POST /login`: answers on another thread, or at once where it can refuse.
    ///
    /// `terminal` is who the request's key is, where it shows a good one.
    func signIn(
        _ request: HTTPRequest, address: String, terminal: Caller?,
        _ completion: @escaping @Sendable (Result<SignIn, SignInRefusal>) -> Void
    ) {
        let deviceOfKey = terminal?.device
        guard request.body.count <= 4096, let json = try? JSONValue(parsing: request.body),
            let badge = json["badge"]?.string, let pin = json["pin"]?.string, !badge.isEmpty, badge.utf8.count <= 200,
            pin.utf8.count <= 200
        else { return completion(.failure(.malformed)) }
        let device = APIKeys.claim(json["device"]?.string) ?? deviceOfKey
        if let device, device != deviceOfKey, isEnrolled(device: device) {
            return completion(.failure(.foreignDevice))
        }
        let isProven = device != nil && device == deviceOfKey && terminal?.isDeviceProven ?? false
        let place = place(of: badge, terminal, Credentials(request.headers), address)
        let (now, uptime, unlocks) = (time.now().milliseconds, time.uptime(), unlocks(of: badge))
        let verdict = gate.withLock {
            $0.admit(badge: badge, unlocks: unlocks, place: place, now: now, uptime: uptime)
        }
        switch verdict {
        case .wait(let milliseconds):
            let isLocked = gate.withLock { $0.lock(badge, unlocks, place, now) != nil }
            let help = isLocked ? "; `\(SignInRefusal.unlocking(badge))` ends the lock" : ""
            refusalLines.say(
                .warning, "sign-in held back: badge \(printable(badge)) from \(address) (\(place.text))\(help)",
                on: log,
                request: request.id, at: uptime)
            completion(.failure(.wait(milliseconds, lockedBadge: isLocked ? badge : nil)))
        case .full: completion(.failure(.busy))
        case .go:
            let id = request.id
            signInExecutor.async { [self] in
                let result = check(
                    badge: badge, pin: pin, device: (device, isProven), place: place, address: address, request: id)
                gate.withLock { $0.done() }
                completion(result)
            }
        }
    }

    /// `POST /login/refresh`: a new token for one that is still good, while the session lasts.
    func renew(
        _ credentials: Credentials, from address: String? = nil, request: String? = nil
    ) -> Result<SignIn, SignInRefusal> {
        renewed(credentials).mapError { refusal in
            let detail = refusal.detail.isEmpty ? "" : ", \(printable(refusal.detail))"
            refusalLines.say(
                .notice, "sign-in not renewed: \(refusal.reason.rawValue)\(detail), from \(address ?? "here")", on: log,
                request: request, at: time.uptime())
            return SignInRefusal(refusal)
        }
    }

    private func renewed(_ credentials: Credentials) -> Result<SignIn, AuthRefusal> {
        let now = time.now().milliseconds
        guard let text = credentials.token else { return .failure(.missing) }
        guard let token = try? JSONWebToken(parsing: text) else { return .failure(.token("it cannot be read")) }
        let snapshot = snapshot
        switch tokens.read(token, snapshot, now: now) {
        case nil: return .failure(.token("it is not this hub's"))
        case .failure(let refusal)?: return .failure(refusal)
        case .success(let read)?:
            guard read.signedIn + options.lifetimes.session > now else {
                return .failure(.withdrawn("the session is over"))
            }
            // A device that was only named, and has a key by now, is nobody's to name any more.
            let isOurs = read.isDeviceProven || !(read.device.map(isEnrolled) ?? false)
            let device = isOurs ? read.device : nil
            return .success(
                make(read.person, (device, read.isDeviceProven), signedIn: read.signedIn, snapshot.secret, now))
        }
    }

    private func unlocks(of badge: String) -> Int64 { snapshot.person(badge: badge)?.unlocks ?? 0 }

    /// Where a try is made: at a terminal that shows its key, where an earlier token of the badge's owner was kept, or else
    /// at an address.
    private func place(
        of badge: String, _ terminal: Caller?, _ credentials: Credentials, _ address: String
    ) -> SignInPlace {
        if let terminal { return SignInPlace(terminal: terminal) }
        if let text = credentials.token, let signedIn = tokens.signedIn(text, badge: badge, snapshot) {
            return SignInPlace(signedIn: signedIn)
        }
        return SignInPlace(address: address)
    }

    /// Checks a PIN on the thread of sign-ins.
    private func check(
        badge: String, pin: String, device: (code: String?, isProven: Bool), place: SignInPlace, address: String,
        request: String
    ) -> Result<SignIn, SignInRefusal> {
        let before = time.now().milliseconds
        let unlocks = unlocks(of: badge)
        // Others may have failed under this badge while this one waited.
        if let wait = gate.withLock({ $0.lock(badge, unlocks, place, before) }) {
            return .failure(.wait(wait, lockedBadge: badge))
        }
        let snapshot = snapshot
        let person = snapshot.person(badge: badge)
        let isRight = options.verify(person?.verifier ?? Self.nobody, pin) && person != nil
        let now = time.now().milliseconds
        let noted = gate.withLock { $0.note(badge: badge, place: place, isRight: isRight, now: now) }
        perform("a sign-in could not be noted") { try $0.note(noted) }
        guard isRight, let person else {
            refusalLines.say(
                .warning,
                "sign-in refused: badge \(printable(badge)) from \(address), "
                    + "\(noted[.init(badge, place.text)]??.count ?? 0) in a row at this place (\(place.text))",
                on: log, request: request, at: time.uptime())
            return .failure(.wrong)
        }
        log(
            .notice, "signed in: \(printable(person.id)) at \(printable(device.code ?? "no device")) from \(address)",
            request: request)
        return .success(make(person, device, signedIn: now, snapshot.secret, now))
    }

    private func make(
        _ person: StoredPerson, _ device: (code: String?, isProven: Bool), signedIn: Int64, _ secret: [UInt8],
        _ now: Int64
    ) -> SignIn {
        let made = tokens.make(
            person, device: device.code, isDeviceProven: device.isProven, signedIn: signedIn, secret: secret, now: now,
            id: random.uuid())
        return SignIn(token: made.token, expires: made.expires, person: person.id, groups: person.groups)
    }

    /// What is checked for a badge that nobody has, so that it takes as long.
    private static let nobody = PINVerifier(
        salt: Array(repeating: 0, count: 16), parameters: .interactive, derived: Array(repeating: 0, count: 32))
}

extension HTTPResponse {
    /// The answer to a sign-in.
    init(_ result: Result<SignIn, SignInRefusal>, now: Int64) {
        var headers: HTTPHeaders = ["content-type": "application/json;charset=UTF-8", "cache-control": "no-store"]
        CrossOrigin.open(&headers)
        switch result {
        case .success(let signIn):
            let json: JSONValue = [
                "token": .string(signIn.token), "expiresAt": .integer(signIn.expires),
                "expiresIn": .integer((signIn.expires - now) / 1000), "person": .string(signIn.person),
                "groups": .array(signIn.groups.sorted().map { .string($0) }),
            ]
            self.init(status: 200, headers: headers, body: json.bytes)
        case .failure(let refusal):
            headers.append("x-amzn-errortype", refusal.errorType)
            if let wait = refusal.retryAfter { headers.append("retry-after", String((wait + 999) / 1000)) }
            let json: JSONValue = [
                "errorType": .string(refusal.errorType), "message": .string(refusal.message),
            ]
            self.init(status: refusal.status, headers: headers, body: json.bytes)
        }
    }
}
