import CWebSockets
import Crypto
import Glibc

/// What happens on a socket; called on the loop's thread.
protocol SocketOwner: AnyObject {
    /// Bytes can go both ways: a connection that was made is there, and one under TLS is agreed on, an accepted one too.
    func socketConnected(_ socket: Socket)
    func socket(_ socket: Socket, received bytes: UnsafeRawBufferPointer)
    /// Everything queued has been given to the system.
    func socketDrained(_ socket: Socket)
    /// The last call. `reason` is given when a connection attempt failed.
    func socketClosed(_ socket: Socket, reason: String?)
}

extension SocketOwner {
    func socketConnected(_ socket: Socket) {}
    func socketDrained(_ socket: Socket) {}
}

/// One TCP connection with a queue of what is to be sent, under TLS or plain.
// Guard of @unchecked Sendable: touched on the loop's thread only.
final class Socket: @unchecked Sendable {
    let core: LoopCore
    var wsi: OpaquePointer?
    /// Whether libwebsockets owns a reference.
    var isHeld = false
    /// A connection that is being made; nil when it is there, and for accepted ones.
    var attempt: Attempt?
    private(set) var owner: (any SocketOwner)?

    /// What is to be sent, and what counts it meanwhile.
    private struct Piece {
        var bytes: [UInt8]
        var held: HeldBytes?
    }

    private var queue: [Piece] = []
    private var head = 0
    /// How much of the first piece is sent.
    private var headOffset = 0
    /// What waits here; the system's and libwebsockets' own buffers (together at most a few hundred kB) not counted.
    private(set) var queuedBytes = 0
    /// Since when something waits here without a pause.
    private(set) var waitsSince: Int64 = 0
    private var isDirty = false
    /// libwebsockets holds a part of the last write until the peer reads.
    private var isBlocked = false
    private var readingPaused = false
    private var readsNow = true
    private var closeWhenDrained = false
    private var halfCloses = false
    private var isInCallback = false
    private(set) var isKilled = false
    private let tls: TLSSession?
    private var isSecured = false

    /// An accepted connection.
    init(accepted wsi: OpaquePointer, _ core: LoopCore) {
        self.core = core
        self.wsi = wsi
        tls = core.secures?.session()
        // Without a session there would be a plain connection on a port that promises TLS.
        owner = core.secures == nil || tls != nil ? core.accept?(self) : nil
    }

    /// A connection to be made; `owner` hears how it goes on. `socketClosed` may be called before this returns.
    init(core: LoopCore, host: String, port: Int, tls context: TLSClientContext?, owner: any SocketOwner) {
        self.core = core
        self.owner = owner
        tls = context?.session(host: host)
        if context != nil && tls == nil {
            failure = .secureChannelFailed("a certificate cannot be compared with the name \(host)")
            ended(reason: failure?.description)
            return
        }
        connect(host, port)
    }

    var isOpen: Bool { wsi != nil && !isKilled && core.context != nil }

    /// Whether what came was all that was sent. Without TLS nobody can tell; under TLS a cut connection shows.
    private(set) var endedWhole = true
    /// Why TLS could not be agreed on, or was broken.
    private(set) var failure: TransportError?
    /// The certificates that the server presented; empty without TLS.
    var peerChain: [Certificate] { tls?.peerChain ?? [] }
    /// Whether bytes can go both ways.
    var isReady: Bool { tls == nil || isSecured }

    /// The other side's address without its port; empty where it has none any more.
    var peerAddress: String {
        var text = [CChar](repeating: 0, count: 64)
        guard let wsi, let name = lws_get_peer_simple(wsi, &text, text.count) else { return "" }
        return String(cString: name)
    }

    // MARK: Sending

    /// Queues bytes; they leave at the end of this round of the loop.
    func send(_ bytes: [UInt8], held: HeldBytes? = nil) {
        guard isOpen, !bytes.isEmpty, !closeWhenDrained else { return }
        if queuedBytes == 0 { waitsSince = core.now }
        queue.append(Piece(bytes: bytes, held: held))
        queuedBytes += bytes.count
        flushSoon()
    }

    /// Has ``flush()`` called at the end of this round of the loop.
    private func flushSoon() {
        guard !isDirty, !isBlocked else { return }
        isDirty = true
        core.markDirty(self)
    }

    /// Forgets what is queued, but for a piece of which a part has left.
    func discardQueued() {
        let kept = headOffset > 0 ? head + 1 : head
        queue.removeSubrange(kept...)
        queuedBytes = headOffset > 0 ? queue[head].bytes.count - headOffset : 0
    }

    private func forgetQueued() {
        queue = []
        head = 0
        headOffset = 0
        queuedBytes = 0
    }

    /// Sends what is queued, as far as the system takes it.
    func flush() {
        isDirty = false
        guard isOpen else { return }
        if let tls, !tls.outgoing.isEmpty, !isBlocked, !writeSealed(tls) { return fail() }
        while isReady, head < queue.count, !isBlocked {
            guard writeSome() else { return fail() }
        }
        // A connection that was given up before TLS was agreed on can send nothing any more.
        if !isReady, closeWhenDrained, !isBlocked { return kill() }
        guard head == queue.count, !isBlocked, isOpen else { return }
        if head > 0 {
            queue.removeAll(keepingCapacity: queue.capacity <= 256)
            head = 0
            owner?.socketDrained(self)
        }
        if closeWhenDrained, queue.isEmpty { finishClosing() }
    }

    /// Writes one piece, or several small ones together; false when the connection is broken.
    private func writeSome() -> Bool {
        let first = queue[head].bytes.count - headOffset
        if head + 1 == queue.count || first >= 16 << 10 {
            let count = min(first, 256 << 10)
            let isWritten = queue[head].bytes.withUnsafeBytes { bytes in
                write(UnsafeRawBufferPointer(rebasing: bytes[headOffset..<headOffset + count]))
            }
            if isWritten { consume(count) }
            return isWritten
        }
        var count = 0
        var index = head
        var offset = headOffset
        while index < queue.count, count < core.scratch.count {
            let piece = min(queue[index].bytes.count - offset, core.scratch.count - count)
            queue[index].bytes.withUnsafeBytes { bytes in
                let part = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + piece])
                UnsafeMutableRawBufferPointer(rebasing: core.scratch[count..<count + piece]).copyMemory(from: part)
            }
            count += piece
            offset = 0
            index += 1
        }
        let isWritten = write(UnsafeRawBufferPointer(rebasing: core.scratch[..<count]))
        if isWritten { consume(count) }
        return isWritten
    }

    /// Gives bytes of the owner to the system, sealed where there is TLS.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let tls else { return writeRaw(bytes) }
        return tls.seal(bytes) && writeSealed(tls)
    }

    private func writeSealed(_ tls: TLSSession) -> Bool {
        let bytes = tls.takeOutgoing()
        return bytes.isEmpty || bytes.withUnsafeBytes { writeRaw($0) }
    }

    private func writeRaw(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        if cws_write(wsi, base.assumingMemoryBound(to: UInt8.self), bytes.count) < 0 { return false }
        // What the system did not take libwebsockets has copied; it tells when that is gone.
        if lws_partial_buffered(wsi) != 0 {
            isBlocked = true
            updateReading()
        }
        return true
    }

    private func consume(_ count: Int) {
        queuedBytes -= count
        var rest = count
        while rest > 0 {
            let piece = queue[head].bytes.count - headOffset
            if rest < piece {
                headOffset += rest
                return
            }
            rest -= piece
            queue[head] = Piece(bytes: [])
            head += 1
            headOffset = 0
        }
    }

    // MARK: Reading

    /// Stops or starts reading, so that a peer that sends faster than it is served has to wait.
    func pauseReading(_ pause: Bool) {
        readingPaused = pause
        updateReading()
    }

    private func updateReading() {
        // While a write is blocked, libwebsockets does not read but would be woken for it without end.
        let reads = !readingPaused && !isBlocked
        guard reads != readsNow, isOpen else { return }
        readsNow = reads
        lws_rx_flow_control(wsi, reads ? 1 : 0)
    }

    // MARK: Closing

    /// Closes after everything queued is sent. With `halfClose` only our direction is closed, and the owner kills the
    /// connection later: so a peer that is still sending can read the last answer.
    func closeAfterSending(halfClose: Bool = false) {
        guard isOpen, !closeWhenDrained else { return }
        closeWhenDrained = true
        halfCloses = halfClose
        flushSoon()
    }

    private func finishClosing() {
        if let tls {
            tls.close()
            guard writeSealed(tls) else { return kill() }
        }
        if halfCloses {
            shutdown(lws_get_socket_fd(wsi), Int32(SHUT_WR))
        } else {
            kill()
        }
    }

    /// Closes at once; the owner hears it soon, from the loop.
    func kill() {
        guard !isKilled, core.context != nil else { return }
        isKilled = true
        forgetQueued()
        guard wsi != nil else {
            // It is still being made, and libwebsockets knows nothing of it.
            core.add(.closure { self.ended(reason: nil) })
            return
        }
        if !isInCallback { cws_kill(wsi) }
    }

    private func fail() {
        closeWhenDrained = true
        kill()
    }

    // MARK: From libwebsockets

    /// Runs one callback of this socket; true when the connection must be closed.
    fileprivate func inCallback(_ body: () -> Void) -> Bool {
        isInCallback = true
        body()
        isInCallback = false
        return isKilled
    }

    fileprivate func connected() {
        endConnecting()
        if let tls { tls.start() } else { owner?.socketConnected(self) }
        // Not in here: libwebsockets forgets after this callback that a write of which the system took only a part waits.
        flushSoon()
    }

    fileprivate func received(_ bytes: UnsafeRawBufferPointer) {
        guard isOpen else { return }
        if let tls { receive(bytes, tls) } else { owner?.socket(self, received: bytes) }
        flush()
    }

    private func receive(_ bytes: UnsafeRawBufferPointer, _ tls: TLSSession) {
        tls.receive(bytes, room: core.plain) {
            isSecured = true
            owner?.socketConnected(self)
            return isOpen
        } deliver: { plain in
            owner?.socket(self, received: plain)
            return isOpen
        }
        switch tls.phase {
        case .handshaking, .open: break
        case .ended:
            // The other side sends nothing any more; what it still wants to hear is in the queue.
            closeAfterSending()
        case .failed(let reason):
            failure = reason
            endedWhole = false
            closeAfterSending()
        }
    }

    fileprivate func writable() {
        guard isOpen else { return }
        isBlocked = lws_partial_buffered(wsi) != 0
        updateReading()
        flush()
    }

    /// libwebsockets has taken the connection apart, or could not make it.
    fileprivate func released(reason: String?) {
        isHeld = false
        if !goesOn(after: reason) { ended(reason: reason) }
    }

    func ended(reason: String?) {
        endConnecting()
        if let tls, tls.phase != .ended { endedWhole = false }
        wsi = nil
        isKilled = true
        forgetQueued()
        let owner = owner
        self.owner = nil
        owner?.socketClosed(self, reason: reason)
    }
}

/// Everything that libwebsockets has to say about our sockets. A result other than 0 closes the connection.
func socketCallback(
    _ wsi: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?,
    _ input: UnsafeMutableRawPointer?, _ count: Int
) -> Int32 {
    guard let wsi else { return 0 }
    func socket() -> Unmanaged<Socket>? {
        lws_get_opaque_user_data(wsi).map { Unmanaged<Socket>.fromOpaque($0) }
    }
    switch reason {
    case LWS_CALLBACK_RAW_ADOPT:
        guard let user = lws_context_user(lws_get_context(wsi)) else { return -1 }
        let core = Unmanaged<LoopCore>.fromOpaque(user).takeUnretainedValue()
        let socket = Socket(accepted: wsi, core)
        guard socket.owner != nil else { return -1 }
        lws_set_opaque_user_data(wsi, Unmanaged.passRetained(socket).toOpaque())
    case LWS_CALLBACK_RAW_CONNECTED:
        guard let socket = socket()?.takeUnretainedValue() else { return -1 }
        return socket.inCallback { socket.connected() } ? -1 : 0
    case LWS_CALLBACK_RAW_RX:
        guard let socket = socket()?.takeUnretainedValue() else { return -1 }
        return socket.inCallback { socket.received(UnsafeRawBufferPointer(start: input, count: count)) } ? -1 : 0
    case LWS_CALLBACK_RAW_WRITEABLE:
        guard let socket = socket()?.takeUnretainedValue() else { return -1 }
        return socket.inCallback { socket.writable() } ? -1 : 0
    case LWS_CALLBACK_RAW_CLOSE, LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        guard let reference = socket() else { return 0 }
        lws_set_opaque_user_data(wsi, nil)
        var text: String?
        if reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR {
            text = "no server answers there"
            if let input, count > 0 {
                text = String(
                    decoding: UnsafeRawBufferPointer(start: input, count: count).prefix { $0 != 0 }, as: UTF8.self)
            }
        }
        reference.takeUnretainedValue().released(reason: text)
        reference.release()
    default: break
    }
    return 0
}
