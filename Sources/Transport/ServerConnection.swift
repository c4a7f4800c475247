/// One connection of a server: HTTP at first, perhaps a WebSocket later.
// Guard of @unchecked Sendable: touched on the loop's thread only.
final class ServerConnection: SocketOwner, @unchecked Sendable {
    private enum Mode {
        case http
        case webSocket(WebSocketConnection)
        /// What still comes is dropped until the peer closes.
        case lingering
        case closed
    }

    private let hub: ServerHub
    private let socket: Socket
    private var mode = Mode.http
    private var parser: HTTPParser
    private var decoder: WebSocketDecoder
    /// The request that waits for its answer; the next one is read only after that.
    private var waiting: (number: UInt64, isHead: Bool, keepsAlive: Bool, id: String)?
    private var nextNumber: UInt64 = 0
    private var isParsing = false
    private var deadline: Int64
    /// When the first byte came of the request or message that is not whole yet.
    private var began: Int64?
    /// What that holds, as the hub has counted it.
    private var heldBytes = 0
    private var closeCode: UInt16 = 1006
    private var closeReason = ""
    private var sentClose = false
    private let address: String
    private let censusKey: String?
    private var isAgreed: Bool
    /// Since when more waits to be sent than a good reader leaves.
    private var behindSince: Int64?

    /// More than this to be sent, and further requests wait: a client that asks and never reads must not fill the memory.
    private static let answeredAhead = 1 << 20

    init(_ hub: ServerHub, _ socket: Socket, address: String, censusKey: String?) {
        self.hub = hub
        self.socket = socket
        self.address = address
        self.censusKey = censusKey
        isAgreed = socket.isReady
        var limits = HTTPParser.Limits()
        limits.bodyBytes = hub.options.maximumBodyBytes
        parser = HTTPParser(.requests, limits: limits)
        decoder = WebSocketDecoder(expectsMask: true, maximumMessageBytes: hub.options.maximumMessageBytes)
        deadline =
            hub.core.now + (socket.isReady ? hub.options.idleMilliseconds : hub.options.handshakeMilliseconds)
    }

    var queuedBytes: Int { socket.queuedBytes }
    /// Whether more waits to be read than any reader may leave, however much the others have.
    var hasMuchWaiting: Bool { socket.isOpen && socket.queuedBytes > Self.freeBytes }
    /// Since when something waits to be read without a pause.
    var waitsSince: Int64 { socket.waitsSince }

    // MARK: From the socket

    /// TLS is agreed on.
    func socketConnected(_ socket: Socket) {
        isAgreed = true
        hub.agreed(censusKey)
        deadline = hub.core.now + hub.options.idleMilliseconds
    }

    func socket(_ socket: Socket, received bytes: UnsafeRawBufferPointer) {
        switch mode {
        case .http:
            parser.append(bytes)
            readRequests()
        case .webSocket:
            decoder.append(bytes)
            readFrames()
        case .lingering, .closed: break
        }
        noteProgress()
    }

    func socketDrained(_ socket: Socket) {
        if case .http = mode, waiting == nil, parser.bufferedBytes > 0 {
            readRequests()
            noteProgress()
        }
    }

    func socketClosed(_ socket: Socket, reason: String?) {
        let ended = mode
        mode = .closed
        _ = hub.holds(-heldBytes)
        hub.remove(self, key: censusKey, wasAgreed: isAgreed)
        if case .webSocket(let handle) = ended { hub.handler.closed(handle, code: closeCode, reason: closeReason) }
    }

    func checkDeadline(_ now: Int64) {
        if let behindSince {
            if socket.queuedBytes <= hub.options.slowBytes {
                self.behindSince = nil
            } else if now - behindSince >= hub.options.slowMilliseconds {
                dropSlowReader()
            }
        }
        guard now >= deadline else { return }
        switch mode {
        case .http where !socket.isReady: socket.kill()
        case .http where waiting != nil: break  // The handler's own time.
        case .http where parser.isInsideMessage:
            refuse(408, "the request did not arrive in time")
        case .http, .lingering: socket.kill()
        case .webSocket where sentClose: socket.kill()
        case .webSocket where began != nil: close(code: 1008, reason: "a message did not arrive in time")
        case .webSocket, .closed: break
        }
    }

    /// Sets the time limit of what has begun and is not whole, and counts what it holds.
    private func noteProgress() {
        let held: Int
        let limit: Int64?
        switch mode {
        case .http:
            held = parser.heldBytes
            // What waits behind a request that is being answered has all the time.
            if waiting != nil || !parser.isInsideMessage {
                limit = nil
            } else {
                limit = parser.isInsideHead ? hub.options.headMilliseconds : hub.options.requestMilliseconds
            }
        case .webSocket:
            held = decoder.heldBytes
            limit = decoder.isInsideMessage ? hub.options.requestMilliseconds : nil
        case .lingering, .closed:
            held = 0
            limit = nil
        }
        if let limit {
            let start = began ?? hub.core.now
            began = start
            if !sentClose { deadline = start + min(limit, hub.options.requestMilliseconds) }
        } else if began != nil {
            began = nil
            if case .webSocket = mode, !sentClose { deadline = .max }
        }
        if count(held) { return }
        if case .http = mode {
            refuse(503, Self.tooMuch)
        } else {
            close(code: 1013, reason: Self.tooMuch)
        }
    }

    private static let tooMuch = "too much is on its way to this server"

    /// Counts what is held now; false where that is more than before, and all together hold too much.
    private func count(_ held: Int) -> Bool {
        guard held != heldBytes else { return true }
        defer { heldBytes = held }
        return hub.holds(held - heldBytes)
    }

    // MARK: HTTP

    private func readRequests() {
        // A handler that answers at once leads back here; the loop below goes on instead of recursing.
        guard !isParsing else { return }
        isParsing = true
        defer { isParsing = false }
        while waiting == nil, case .http = mode, socket.isOpen, socket.queuedBytes <= Self.answeredAhead {
            switch parser.next() {
            case .needMore:
                socket.pauseReading(false)
                return
            case .expectsContinue: socket.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
            case .failure(let status, let reason): refuse(status, reason)
            case .message(let message): take(message)
            }
        }
        // A client may send requests ahead, but not without end.
        if case .http = mode { socket.pauseReading(parser.bufferedBytes > 64 << 10) }
    }

    private func take(_ message: HTTPParser.Message) {
        let mark = message.target.utf8.firstIndex(of: UInt8(ascii: "?"))
        let path = mark.map { String(message.target[..<$0]) } ?? message.target
        let query = mark.map { String(message.target[message.target.utf8.index(after: $0)...]) }
        var request = HTTPRequest(
            method: message.method, path: path, query: query, headers: message.headers, body: message.body)
        request.peerAddress = address
        request.id = name(message.headers)
        if WebSocketHandshake.isUpgrade(message), hub.options.webSocketPaths.contains(path) {
            return upgrade(request)
        }
        // The parser has given it away.
        _ = count(parser.heldBytes)
        guard let taken = hub.take(request.body.count + request.headers.bytes.count) else {
            return refuse(503, Self.tooMuch, id: request.id)
        }
        nextNumber += 1
        waiting = (nextNumber, message.method == "HEAD", message.keepsAlive, request.id)
        hub.handler.request(request, HTTPResponder(connection: self, number: nextNumber, core: hub.core, taken: taken))
    }

    func respond(_ response: HTTPResponse, to number: UInt64) {
        guard case .http = mode, let waiting, waiting.number == number else { return }
        self.waiting = nil
        send(response, isHead: waiting.isHead, keepsAlive: waiting.keepsAlive, id: waiting.id)
        guard waiting.keepsAlive else { return linger() }
        deadline = hub.core.now + hub.options.idleMilliseconds
        readRequests()
        if !isParsing { noteProgress() }
    }

    private func name(_ headers: HTTPHeaders) -> String { hub.options.requestID?(headers) ?? "" }

    private func send(_ response: HTTPResponse, isHead: Bool, keepsAlive: Bool, id: String) {
        var bytes: [UInt8] = []
        let inline = !isHead && response.body.count <= 16 << 10
        bytes.reserveCapacity(160 + response.headers.bytes.count + (inline ? response.body.count : 0))
        bytes += "HTTP/1.1 \(response.status) \(HTTPResponse.reason(response.status))\r\n".utf8
        bytes += response.headers.bytes
        if !id.isEmpty { bytes += "\(hub.options.requestIDField): \(id)\r\n".utf8 }
        if response.status != 204 && response.status != 304 {
            bytes += "Content-Length: \(response.body.count)\r\n".utf8
        }
        if !keepsAlive { bytes += "Connection: close\r\n".utf8 }
        bytes += [13, 10]
        if inline { bytes += response.body }
        let held = hub.options.held
        socket.send(bytes, held: HeldBytes(bytes.count, in: held))
        if !inline && !isHead { socket.send(response.body, held: HeldBytes(response.body.count, in: held)) }
        if hasMuchWaiting, held.total > hub.options.maximumHeldBytes { hub.dropLongestWaiting() }
    }

    /// Answers what cannot be served; the connection is of no use afterwards.
    private func refuse(_ status: Int, _ reason: String, id: String? = nil) {
        send(.text(status, reason + "\n"), isHead: false, keepsAlive: false, id: id ?? name([:]))
        linger()
    }

    /// Closes so that a client that is still sending can read the answer: a plain close would make the system reset
    /// the connection and throw the answer away.
    private func linger() {
        mode = .lingering
        deadline = hub.core.now + 3_000
        socket.pauseReading(false)
        socket.closeAfterSending(halfClose: true)
    }

    // MARK: WebSocket

    private func upgrade(_ request: HTTPRequest) {
        let subprotocol = WebSocketHandshake.chosen(of: hub.options.subprotocols, request.headers)
        var fields = HTTPHeaders()
        if !request.id.isEmpty { fields.append(hub.options.requestIDField, request.id) }
        guard let answer = WebSocketHandshake.accept(request.headers, subprotocol: subprotocol, fields) else {
            return refuse(400, "the WebSocket request is malformed or not of version 13", id: request.id)
        }
        socket.send(answer)
        let handle = WebSocketConnection(
            id: hub.newID(), subprotocol: subprotocol, connection: self, core: hub.core)
        mode = .webSocket(handle)
        deadline = .max
        socket.pauseReading(false)
        hub.handler.opened(handle, request)
        let rest = parser.takeRest()
        if !rest.isEmpty {
            rest.withUnsafeBytes { decoder.append($0) }
            readFrames()
        }
    }

    private func readFrames() {
        while case .webSocket(let handle) = mode, socket.isOpen, let event = decoder.next() {
            switch event {
            case .text(let text):
                if !sentClose { hub.handler.received(handle, text) }
            case .binary: close(code: 1003, reason: "only text is understood")
            case .ping(let payload): if !sentClose { socket.send(WebSocketFrame.encode(.pong, payload)) }
            case .pong: break
            case .close(let code, let reason):
                if !sentClose {
                    closeCode = code
                    closeReason = reason
                    sendClose(code == 1005 ? 1000 : code, "")
                }
                socket.closeAfterSending()
            case .failure(let code, let reason): close(code: code, reason: reason)
            }
        }
    }

    func send(_ frame: WebSocketFrame) {
        guard case .webSocket = mode, !sentClose else { return }
        let queued = socket.queuedBytes
        if queued > 0, queued + frame.count > Self.freeBytes, isTooMuch(queued, frame.count) {
            return dropSlowReader()
        }
        socket.send(frame.bytes, held: frame.held)
    }

    /// What any reader may have waiting, however much the others have.
    private static let freeBytes = 64 << 10

    /// Whether a reader that has `queued` bytes to read yet may not get more.
    private func isTooMuch(_ queued: Int, _ more: Int) -> Bool {
        if queued + more > hub.options.maximumQueuedBytes || hub.options.held.total > hub.options.maximumHeldBytes {
            return true
        }
        if queued <= hub.options.slowBytes {
            behindSince = queued + more > hub.options.slowBytes ? hub.core.now : nil
            return false
        }
        return behindSince.map { hub.core.now - $0 >= hub.options.slowMilliseconds } ?? false
    }

    /// Ends the connection and lets go of what it has not read.
    func dropSlowReader() {
        guard case .webSocket(let handle) = mode, !sentClose else { return socket.kill() }
        // What is queued would keep the close frame back and the memory taken.
        socket.discardQueued()
        let code = handle.subprotocol.flatMap { hub.options.slowCloseCodes[$0] } ?? 1011
        close(code: code, reason: "the reader is too slow")
    }

    func close(code: UInt16, reason: String) {
        guard case .webSocket = mode, !sentClose else { return }
        closeCode = code
        closeReason = reason
        sendClose(code, reason)
    }

    /// After the close frame the peer has some seconds to answer it and to close.
    private func sendClose(_ code: UInt16, _ reason: String) {
        sentClose = true
        socket.send(WebSocketFrame.encode(.close, WebSocketFrame.closePayload(code: code, reason: reason)))
        deadline = hub.core.now + 5_000
    }
}
