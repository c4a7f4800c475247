import System

/// Reads WebSocket frames (RFC 6455) and puts messages together again. Pure: no sockets, no clock.
struct WebSocketDecoder {
    enum Event: Equatable {
        case text([UInt8])
        case binary([UInt8])
        case ping([UInt8])
        case pong([UInt8])
        /// The peer closes; 1005 when it gave no code.
        case close(code: UInt16, reason: String)
        /// The peer broke the protocol or a limit: the code to close with.
        case failure(code: UInt16, reason: String)
    }

    /// Whether frames must be masked, as a server's peer must and a client's peer must not.
    let expectsMask: Bool
    let maximumMessageBytes: Int

    private var buffer: [UInt8] = []
    private var position = 0
    private var message: [UInt8] = []
    private var messageKind: WebSocketFrame.Opcode?
    private var ended = false

    init(expectsMask: Bool, maximumMessageBytes: Int) {
        self.expectsMask = expectsMask
        self.maximumMessageBytes = maximumMessageBytes
    }

    /// Whether a frame or a message has begun and is not whole yet.
    var isInsideMessage: Bool { !ended && (position < buffer.count || messageKind != nil) }

    /// How many bytes are held of what is not whole yet.
    var heldBytes: Int { buffer.count - position + message.count }

    /// Takes bytes that the socket gave; what comes after the end is dropped.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard !ended else { return }
        if position == buffer.count {
            // A connection that is idle most of the time keeps little.
            buffer.removeAll(keepingCapacity: buffer.capacity <= 8 << 10)
            position = 0
        } else if position > 1 << 16 {
            buffer.removeFirst(position)
            position = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next event; nil when more bytes are needed. After `.close` and `.failure` nothing comes any more.
    mutating func next() -> Event? {
        while !ended {
            let available = buffer.count - position
            guard available >= 2 else { return nil }
            let first = buffer[position]
            let second = buffer[position + 1]
            guard first & 0x70 == 0 else { return fail(1002, "an extension was not agreed on") }
            guard let opcode = WebSocketFrame.Opcode(rawValue: first & 15) else {
                return fail(1002, "unknown kind of frame")
            }
            let isFinal = first & 0x80 != 0
            guard (second & 0x80 != 0) == expectsMask else { return fail(1002, "a frame is masked wrongly") }
            var header = 2
            var count = Int(second & 0x7F)
            if opcode.rawValue >= 8 && (count > 125 || !isFinal) { return fail(1002, "a control frame is malformed") }
            if count >= 126 {
                let size = count == 126 ? 2 : 8
                guard available >= 2 + size else { return nil }
                var wide: UInt64 = 0
                for index in 0..<size { wide = wide << 8 | UInt64(buffer[position + 2 + index]) }
                guard wide <= UInt64(maximumMessageBytes) else { return tooLarge() }
                count = Int(wide)
                header += size
            }
            if opcode.rawValue < 8 && message.count + count > maximumMessageBytes { return tooLarge() }
            var mask: UInt32 = 0
            if expectsMask {
                guard available >= header + 4 else { return nil }
                for index in 0..<4 { mask |= UInt32(buffer[position + header + index]) << (8 * index) }
                header += 4
            }
            guard available >= header + count else {
                // No more than a stranger's word is worth; a frame that really comes grows.
                if header + count > 1 << 16 { buffer.reserveCapacity(position + min(header + count, 256 << 10)) }
                return nil
            }
            let start = position + header
            var payload = Array(buffer[start..<start + count])
            position = start + count
            if expectsMask { payload.withUnsafeMutableBytes { WebSocketFrame.applyMask(mask, to: $0) } }
            if let event = take(opcode, isFinal: isFinal, payload) { return event }
        }
        return nil
    }

    private mutating func take(_ opcode: WebSocketFrame.Opcode, isFinal: Bool, _ payload: [UInt8]) -> Event? {
        switch opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong(payload)
        case .close: return takeClose(payload)
        case .text, .binary:
            guard messageKind == nil else { return fail(1002, "a message began inside another") }
            if isFinal { return whole(opcode, payload) }
            messageKind = opcode
            message = payload
            return nil
        case .continuation:
            guard let kind = messageKind else { return fail(1002, "a fragment has no beginning") }
            message += payload
            if !isFinal { return nil }
            messageKind = nil
            defer { message = [] }
            return whole(kind, message)
        }
    }

    private mutating func whole(_ kind: WebSocketFrame.Opcode, _ payload: [UInt8]) -> Event {
        guard kind == .text else { return .binary(payload) }
        guard payload.withUnsafeBytes(UTF8Check.isValid) else { return fail(1007, "a text message is not UTF-8") }
        return .text(payload)
    }

    private mutating func takeClose(_ payload: [UInt8]) -> Event {
        guard payload.count >= 2 else {
            if payload.count == 1 { return fail(1002, "a close frame is malformed") }
            end()
            return .close(code: 1005, reason: "")
        }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard let reason = String(validating: payload[2...], as: UTF8.self) else {
            return fail(1007, "a close reason is not UTF-8")
        }
        guard (1000...1014).contains(code) && ![1004, 1005, 1006].contains(code) || (3000...4999).contains(code) else {
            return fail(1002, "a close code is not allowed")
        }
        end()
        return .close(code: code, reason: reason)
    }

    private mutating func tooLarge() -> Event { fail(1009, "a message is larger than \(maximumMessageBytes) bytes") }

    private mutating func fail(_ code: UInt16, _ reason: String) -> Event {
        end()
        return .failure(code: code, reason: reason)
    }

    /// Nothing is read any more, and so nothing is held.
    private mutating func end() {
        ended = true
        (buffer, position, message, messageKind) = ([], 0, [], nil)
    }
}
