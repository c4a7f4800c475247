import Basics
import Transport

/// Frames whose sender cannot be judged at once: an issuer's new keys are on their way, or the authorizer is asked.
///
/// They wait, as requests over HTTP do, and so does whatever comes after them over the same socket; nobody else does. Who
/// has not said who he is by the time that a handshake may take is closed meanwhile.
extension HubWorker {
    /// Calls back at once, or when the credentials of a request can be judged.
    typealias WhenReady = @Sendable (Credentials, [UInt8], @escaping @Sendable () -> Void) -> Void

    /// A frame that waits.
    struct HeldFrame {
        let bytes: [UInt8]
        let arrived: ContinuousClock.Instant
    }

    /// Whether a frame may be handled now; it is held where it may not.
    func isReady(_ frame: HeldFrame, of socket: WebSocketConnection) -> Bool {
        guard let whenReady = whenReady.current else { return true }
        if held[socket.id] != nil {
            hold(frame, of: socket)
            return false
        }
        guard let shown = registry?.credentials(shownBy: frame.bytes, on: socket.id) else { return true }
        let state = Locked((isReady: false, isLate: false))
        whenReady(shown.credentials, shown.request) { [weak self] in
            let isLate = state.withLock { state in
                state.isReady = true
                return state.isLate
            }
            if isLate { self?.add(.judged(socket)) }
        }
        let isReady = state.withLock { state in
            state.isLate = !state.isReady
            return state.isReady
        }
        if !isReady { hold(frame, of: socket) }
        return isReady
    }

    /// Gives the frame that waited, and those after it as far as none of them has to wait in its turn.
    func release(_ socket: WebSocketConnection, _ take: (HeldFrame) -> Void) {
        guard let frames = held.removeValue(forKey: socket.id), let first = frames.first else { return }
        forget(frames, of: socket)
        take(first)
        for frame in frames.dropFirst() where isReady(frame, of: socket) { take(frame) }
    }

    /// Frames that wait no more.
    func forget(_ frames: [HeldFrame], of socket: WebSocketConnection) {
        for frame in frames { heldBytes.giveBack(frame.bytes.count, of: socket.id) }
    }

    private func hold(_ frame: HeldFrame, of socket: WebSocketConnection) {
        guard held[socket.id, default: []].count < limits.frameBurst,
            heldBytes.take(frame.bytes.count, of: socket.id)
        else { return socket.close(code: 1013, reason: "more waits than this hub takes; try again") }
        held[socket.id, default: []].append(frame)
    }
}
