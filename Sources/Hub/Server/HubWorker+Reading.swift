import Basics
import Transport

/// What goes to the reader's thread, beside the commits.
extension HubWorker {
    /// Takes a request; `respond` is called once with its answer, false says that the hub is overloaded or stopping.
    func take(_ request: HubRequest, _ responder: HTTPResponder) -> Bool {
        guard HubReader.looksLikeQuery(request.body) else { return add(.request(request, responder)) }
        return read(request) { [self] in finishRead(request, responder, $0) }
    }

    /// Gives the reader a query that looked like none, so that nobody can have his own answered between two commits.
    func hand(_ request: HubRequest, of caller: Caller, _ asking: Asking) {
        switch asking.place {
        case .http(let responder):
            if !read(request, of: caller, { [self] in finishRead(request, responder, $0) }) {
                refuse(request, responder)
            }
        case .socket(let name):
            let operation = RealtimeOperation(name: name, request: request)
            if !read(operation, of: caller) { refuse(operation) }
        }
    }

    /// Passes on what the reader has answered, or what it leaves to the thread that commits.
    private func finishRead(
        _ request: HubRequest, _ responder: HTTPResponder, _ reading: HubReader.Reading
    ) {
        noteRead(reading)
        switch reading {
        case .answered(let answer, let work):
            responder.respond(HTTPResponse(answer, at: time.now()))
            meter.answered(request.mark, work, status: answer.status)
            meter.timings.withLock { $0.bytesOut += UInt64(answer.body.count) }
        case .left:
            var request = request
            request.isReturned = true
            if !add(.request(request, responder)) { refuse(request, responder) }
        case .overloaded: refuse(request, responder)
        }
    }

    private func finishRead(_ operation: RealtimeOperation, _ reading: HubReader.Reading) {
        noteRead(reading, operation)
        switch reading {
        case .answered(let answer, let work): add(.read(operation, answer, work))
        case .left:
            var operation = operation
            operation.request.isReturned = true
            if !add(.operation(operation)) { add(.refused(operation)) }
        case .overloaded: add(.refused(operation))
        }
    }

    private func refuse(_ request: HubRequest, _ responder: HTTPResponder) {
        responder.respond(.overloaded)
        meter.answered(request.mark, nil, status: 503)
    }

    /// Handles a frame; gives the queries and mutations that came with it.
    func receive(
        _ bytes: [UInt8], from socket: WebSocketConnection, _ arrived: ContinuousClock.Instant
    ) -> [RealtimeOperation] {
        let connection = registry?.connections[socket.id]
        let id = connection?.id
        perform(registry?.received(socket.id, bytes) ?? [])
        for _ in 0..<(registry?.takeStarts() ?? 0) {
            meter.answered(RequestMark(id ?? "", arrived: arrived), .subscribe, status: 200)
        }
        return (registry?.takeOperations() ?? []).map { operation in
            var operation = operation
            operation.request.mark = id.map {
                RequestMark($0, arrived: arrived, from: connection?.address)
            }
            return operation
        }
    }

    /// Gives what came over a WebSocket to the reader, or refuses it where too much waits there; false where it looks like a
    /// mutation.
    func read(_ operation: RealtimeOperation) -> Bool {
        guard HubReader.looksLikeQuery(operation.request.body) else { return false }
        if !read(operation, of: nil) { refuse(operation) }
        return true
    }

    private func read(_ operation: RealtimeOperation, of caller: Caller?) -> Bool {
        read(operation.request, of: caller, over: operation) { [self] in finishRead(operation, $0) }
    }

    /// Gives the reader a request; false where as many wait as may, in all or of this caller.
    ///
    /// - Parameter operation: What it is over a socket, where nothing else bounds the bytes that wait: a body over HTTP is
    ///   counted by the server until it is answered.
    private func read(
        _ request: HubRequest, of caller: Caller? = nil, over operation: RealtimeOperation? = nil,
        _ completion: @escaping @Sendable (HubReader.Reading) -> Void
    ) -> Bool {
        guard takeRead(operation) else { return false }
        if reader.answer(request, of: caller, completion) { return true }
        noteRead(.overloaded, operation)
        return false
    }

    /// Answers what came over a WebSocket as a request over HTTP is answered for which there is no room.
    func refuse(_ operation: RealtimeOperation) {
        perform(registry?.answered(operation.name, .overloaded) ?? [])
        meter.answered(operation.request.mark, nil, status: 503)
    }

    /// Counts a query in that waits for the reader; false where as many wait as may.
    private func takeRead(_ operation: RealtimeOperation?) -> Bool {
        queue.withLock { queue in
            guard !queue.isStopped, queue.reads < queueLimit else { return false }
            if let operation, !queue.readBytes.take(operation.request.body.count, of: operation.name.connection) {
                return false
            }
            queue.reads += 1
            return true
        }
    }

    private func noteRead(_ reading: HubReader.Reading, _ operation: RealtimeOperation? = nil) {
        queue.withLock { queue in
            queue.reads -= 1
            if let operation {
                queue.readBytes.giveBack(operation.request.body.count, of: operation.name.connection)
            }
            if case .answered = reading { queue.answeredReads += 1 }
        }
    }
}
