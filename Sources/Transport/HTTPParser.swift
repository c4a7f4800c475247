/// Reads HTTP/1.1 messages from bytes as they come (RFC 9112). Pure: no sockets, no clock.
///
/// One parser reads one direction of one connection. After `.message` the next call of `next()` goes on with the next
/// message. After a failure the connection cannot be used any more.
struct HTTPParser {
    enum Direction {
        /// Requests, as a server reads them.
        case requests
        /// Answers, as a client reads them.
        case responses
    }

    struct Limits {
        /// The start line and all header fields together.
        var headBytes = 64 << 10
        var headerFields = 128
        var bodyBytes = 8 << 20
    }

    struct Message {
        /// Of a request: the method. Of an answer: empty.
        var method = ""
        /// Of a request: the target as sent.
        var target = ""
        /// Of an answer: the code.
        var status = 0
        var headers = HTTPHeaders()
        var body: [UInt8] = []
        /// Whether the sender will use the connection for another message.
        var keepsAlive = true
    }

    enum Output {
        /// More bytes are needed.
        case needMore
        case message(Message)
        /// The sender waits for `100 Continue` before it sends the body.
        case expectsContinue
        /// The bytes are no HTTP, or exceed a limit: the status that a server answers, and the reason.
        case failure(status: Int, reason: String)
    }

    private enum State {
        case head
        /// The body has this many bytes more.
        case length(Int)
        case chunkSize
        case chunk(Int)
        case chunkEnd
        case trailer
        /// The body ends with the connection.
        case untilClose
        case failed(status: Int, reason: String)
    }

    let direction: Direction
    let limits: Limits
    /// Set before the answer to a HEAD request comes: it has no body whatever its fields say.
    var nextAnswerHasNoBody = false

    private var buffer: [UInt8] = []
    private var position = 0
    /// How far the end of the head was searched for already.
    private var searched = 0
    private var state = State.head
    private var message = Message()
    private var announcedContinue = false

    init(_ direction: Direction, limits: Limits = Limits()) {
        self.direction = direction
        self.limits = limits
    }

    /// Whether a message has begun and is not whole yet.
    var isInsideMessage: Bool {
        if case .head = state { return position < buffer.count }
        return true
    }

    /// Whether the next message's start line or fields are not whole yet.
    var isInsideHead: Bool {
        if case .head = state { return position < buffer.count }
        return false
    }

    /// How many bytes are held: of messages that are not whole yet, and what was parsed and is still in the buffer.
    var heldBytes: Int { buffer.count + message.body.count }

    /// How many bytes wait to be parsed.
    var bufferedBytes: Int { buffer.count - position }

    /// Takes bytes that the socket gave.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        dropParsed()
        if case .length(let rest) = state, buffer.isEmpty, rest > 0 {
            // The usual way of a large body: straight to its place.
            let count = min(rest, bytes.count)
            message.body.append(contentsOf: bytes[..<count])
            state = .length(rest - count)
            if count < bytes.count { buffer.append(contentsOf: bytes[count...]) }
            return
        }
        buffer.append(contentsOf: bytes)
    }

    /// Lets go of what was parsed: all at once where nothing follows, else when it is much, since what follows is moved.
    private mutating func dropParsed() {
        if position == buffer.count {
            // A connection that is idle most of the time keeps little.
            buffer.removeAll(keepingCapacity: buffer.capacity <= 16 << 10)
            searched = 0
        } else if position > 1 << 16 {
            buffer.removeFirst(position)
            searched = max(0, searched - position)
        } else {
            return
        }
        position = 0
    }

    /// The bytes that follow the last message, when the connection stops being HTTP.
    mutating func takeRest() -> [UInt8] {
        defer {
            buffer = []
            position = 0
        }
        return Array(buffer[position...])
    }

    /// The next message, or what is in its way.
    mutating func next() -> Output {
        while true {
            switch state {
            case .head:
                guard let output = parseHead() else { continue }
                return output
            case .length(let rest):
                let count = min(rest, buffer.count - position)
                if count > 0 {
                    message.body.append(contentsOf: buffer[position..<position + count])
                    position += count
                }
                if count == rest { return finish() }
                state = .length(rest - count)
                return .needMore
            case .chunkSize, .chunk, .chunkEnd, .trailer:
                guard let output = parseChunks() else { continue }
                return output
            case .untilClose:
                if message.body.count + buffer.count - position > limits.bodyBytes {
                    return fail(413, "the body is larger than \(limits.bodyBytes) bytes")
                }
                message.body.append(contentsOf: buffer[position...])
                position = buffer.count
                return .needMore
            case .failed(let status, let reason):
                return .failure(status: status, reason: reason)
            }
        }
    }

    /// The connection has ended: the message that only ends so, if there is one.
    mutating func finishAtClose() -> Message? {
        guard case .untilClose = state, case .needMore = next(), case .message(let message) = finish() else {
            return nil
        }
        return message
    }

    // MARK: The head

    private mutating func parseHead() -> Output? {
        // Empty lines before a message are allowed (RFC 9112, 2.2).
        while position < buffer.count, buffer[position] == 13 || buffer[position] == 10 { position += 1 }
        // A TLS handshake, say, has no lines: whoever sent it would wait for an answer in vain.
        if direction == .requests, position < buffer.count, !HTTPStartLine.isTokenByte(buffer[position]) {
            return fail(400, "the request line is malformed")
        }
        guard let end = headEnd() else {
            if buffer.count - position > limits.headBytes { return fail(431, "the header is too large") }
            return .needMore
        }
        if end - position > limits.headBytes { return fail(431, "the header is too large") }
        message = Message()
        let head = Array(buffer[position..<end])
        position = end
        searched = end
        announcedContinue = false
        var lines = HTTPHeadLines(head)
        guard let startLine = lines.next() else { return fail(400, "the start line is missing") }
        let version: Int
        switch direction {
        case .requests:
            guard let line = HTTPStartLine.request(head[startLine]) else {
                return fail(400, "the request line is malformed")
            }
            message.method = line.method
            message.target = line.target
            version = line.minorVersion
        case .responses:
            guard let line = HTTPStartLine.response(head[startLine]) else { return fail(502, "the answer is not HTTP") }
            message.status = line.status
            version = line.minorVersion
        }
        guard let fields = lines.fields(atMost: limits.headerFields) else {
            return fail(400, "a header field is malformed or there are too many")
        }
        message.headers = HTTPHeaders(bytes: head, fields: fields)
        message.keepsAlive =
            version >= 1
            ? !message.headers.lists("close", in: "connection") : message.headers.lists("keep-alive", in: "connection")
        return chooseBody()
    }

    /// The offset behind the empty line that ends the head.
    private mutating func headEnd() -> Int? {
        var index = max(position, searched - 3)
        while index < buffer.count {
            if buffer[index] == 10 {
                if index + 1 < buffer.count, buffer[index + 1] == 10 { return index + 2 }
                if index + 2 < buffer.count, buffer[index + 1] == 13, buffer[index + 2] == 10 { return index + 3 }
            }
            index += 1
        }
        searched = buffer.count
        return nil
    }

    private mutating func chooseBody() -> Output? {
        if direction == .responses,
            message.status < 200 || message.status == 204 || message.status == 304 || nextAnswerHasNoBody
        {
            if message.status >= 200 { nextAnswerHasNoBody = false }
            return finish()
        }
        let encodings = message.headers.all("transfer-encoding")
        let lengths = message.headers.all("content-length")
        if !encodings.isEmpty {
            // Both at once is how requests are smuggled past a proxy.
            guard lengths.isEmpty else { return fail(400, "both Content-Length and Transfer-Encoding are given") }
            guard encodings.count == 1, encodings[0].lowercased() == "chunked" else {
                return fail(501, "the transfer encoding is not supported")
            }
            state = .chunkSize
        } else if let first = lengths.first {
            guard lengths.allSatisfy({ $0 == first }), !first.isEmpty, first.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
                let length = Int(first)
            else { return fail(400, "the Content-Length is malformed") }
            guard length <= limits.bodyBytes else {
                return fail(413, "the body is larger than \(limits.bodyBytes) bytes")
            }
            state = .length(length)
            // No more than a stranger's word is worth; a body that really comes grows.
            message.body.reserveCapacity(min(length, 256 << 10))
        } else if direction == .requests {
            return finish()
        } else {
            message.keepsAlive = false
            state = .untilClose
            return nil
        }
        if direction == .requests, !announcedContinue, message.headers.lists("100-continue", in: "expect"),
            position == buffer.count
        {
            announcedContinue = true
            return .expectsContinue
        }
        return nil
    }

    // MARK: A body in chunks

    private mutating func parseChunks() -> Output? {
        switch state {
        case .chunkSize:
            guard let line = takeLine(atMost: 256) else { return lineOutput(atMost: 256) }
            var size = 0
            var digits = 0
            for byte in buffer[line] {
                guard let digit = hexDigit(byte) else {
                    if byte == 59 || byte == 32 || byte == 9 { break }
                    return fail(400, "a chunk's size is malformed")
                }
                size = size << 4 | Int(digit)
                digits += 1
                if digits > 8 { return fail(413, "a chunk is too large") }
            }
            if digits == 0 { return fail(400, "a chunk's size is missing") }
            if message.body.count + size > limits.bodyBytes {
                return fail(413, "the body is larger than \(limits.bodyBytes) bytes")
            }
            state = size == 0 ? .trailer : .chunk(size)
        case .chunk(let rest):
            let count = min(rest, buffer.count - position)
            if count == 0 { return .needMore }
            message.body.append(contentsOf: buffer[position..<position + count])
            position += count
            state = count == rest ? .chunkEnd : .chunk(rest - count)
        case .chunkEnd:
            guard let line = takeLine(atMost: 2) else { return lineOutput(atMost: 2) }
            if !line.isEmpty { return fail(400, "a chunk is longer than its size") }
            state = .chunkSize
        case .trailer:
            guard let line = takeLine(atMost: 8192) else { return lineOutput(atMost: 8192) }
            if line.isEmpty { return finish() }
        default: break
        }
        return nil
    }

    /// The next line without its end; nil while it is not whole.
    private mutating func takeLine(atMost limit: Int) -> Range<Int>? {
        guard let end = buffer[position...].prefix(limit + 1).firstIndex(of: 10) else { return nil }
        let start = position
        position = end + 1
        return start..<(end > start && buffer[end - 1] == 13 ? end - 1 : end)
    }

    private mutating func lineOutput(atMost limit: Int) -> Output {
        buffer.count - position > limit ? fail(400, "the body's chunks are malformed") : .needMore
    }

    private mutating func finish() -> Output {
        state = .head
        searched = position
        dropParsed()
        defer { message = Message() }
        return .message(message)
    }

    private mutating func fail(_ status: Int, _ reason: String) -> Output {
        state = .failed(status: status, reason: reason)
        return .failure(status: status, reason: reason)
    }
}
