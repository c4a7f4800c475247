/// A connection until it is there: its name is looked up, then one address after the other is tried.
extension Socket {
    /// How far it is.
    struct Attempt {
        let port: Int
        /// What is still to be tried, the next one last.
        var addresses: [String] = []
        var isLookingUp = true
        /// Why the last address did not do.
        var reason: String?
        /// libwebsockets is asked at this moment, and may answer from within.
        var isAsking = false
    }

    /// Whether it waits for the addresses of its name.
    var isLookingUp: Bool { attempt?.isLookingUp ?? false }

    func connect(_ host: String, _ port: Int) {
        guard core.context != nil else { return ended(reason: nil) }
        attempt = Attempt(port: port)
        core.connecting[ObjectIdentifier(self)] = self
        if let address = SystemNames.address(host) { return found(.success([address])) }
        core.names.addresses(of: host) { [core] answer in core.perform { self.found(answer) } }
    }

    private func found(_ answer: NameLookup.Answer) {
        attempt?.isLookingUp = false
        switch answer {
        case .failure(let failure): if !isKilled { ended(reason: failure.description) }
        case .success(let addresses):
            attempt?.addresses = addresses.reversed()
            tryNext()
        }
    }

    private func tryNext() {
        // Whoever gives it up meanwhile, or stops the loop, ends it.
        guard !isKilled, core.context != nil, let port = attempt?.port else { return }
        while let address = attempt?.addresses.popLast() {
            // libwebsockets owns a reference until the connection has ended.
            let reference = Unmanaged.passRetained(self)
            isHeld = true
            attempt?.isAsking = true
            wsi = core.connect(self, address: address, port: port)
            attempt?.isAsking = false
            if isHeld, wsi != nil { return }
            // It has told of the end already, and given the reference back, or it does neither.
            if isHeld { reference.release() }
            isHeld = false
        }
        ended(reason: attempt?.reason ?? "the connection attempt failed at once")
    }

    /// libwebsockets lets the connection go; true where it is not the end, since there are other addresses.
    func goesOn(after reason: String?) -> Bool {
        guard attempt != nil else { return false }
        attempt?.reason = reason
        if attempt?.isAsking ?? false { return true }
        guard !isKilled, core.context != nil, attempt?.addresses.isEmpty == false else { return false }
        wsi = nil
        // Not from within libwebsockets, which still takes the old one apart.
        core.add(.closure { self.tryNext() })
        return true
    }

    /// It is there, or it has ended.
    func endConnecting() {
        guard attempt != nil else { return }
        attempt = nil
        core.connecting[ObjectIdentifier(self)] = nil
    }
}
