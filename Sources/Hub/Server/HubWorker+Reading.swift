import Basics
import Transport

/// What goes to the reader's thread, beside the commits.
extension HubWorker {
    /// Takes a request; `respond` is called once with its answer, false says that the hub is overloaded or stopping.
    func take(_ request: HubRequest, _ responder: HTTPResponder) -> Bool {
        guard HubReader.looksLikeQuery(request.body) else { return add(.request(request, responder)) }
        guard takeRead() else { return false }
        reader.answer(request) { [self] in finishRead(request, responder, $0) }
        return true
    }

    /// Gives the reader a query that looked like none, so that nobody can have his own answered between two commits.
    func hand(_ request: HubRequest, of caller: Caller, _ asking: Asking) {
        switch asking.place {
        case .http(let responder):
            guard takeRead() else {
                responder.respond(.overloaded)
                return meter.answered(request.mark, nil, status: 503)
            }
            reader.answer(request, of: caller) { [self] in finishRead(request, responder, $0) }
        case .socket(let name):
            let operation = RealtimeOperation(name: name, request: request)
            guard takeRead() else { return refuse(operation) }
            reader.answer(request, of: caller) { [self] in finishRead(operation, $0) }
        }
    }

    /// Passes on what the reader has answered, or what it leaves to the thread that commits.
    private func finishRead(
        _ request: HubRequest, _ responder: HTTPResponder, _ read: (answer: HubAnswer, work: WorkKind)?
    ) {
        noteRead(isAnswered: read != nil)
        guard let (answer, work) = read else {
            var request = request
            request.isReturned = true
            guard !add(.request(request, responder)) else { return }
            responder.respond(.overloaded)
            meter.answered(request.mark, nil, status: 503)
            return
        }
        responder.respond(HTTPResponse(answer, at: time.now()))
        meter.answered(request.mark, work, status: answer.status)
        meter.timings.withLock { $0.bytesOut += UInt64(answer.body.count) }
    }

    private func finishRead(_ operation: RealtimeOperation, _ read: (answer: HubAnswer, work: WorkKind)?) {
        noteRead(isAnswered: read != nil)
        if let read {
            add(.read(operation, read.answer, read.work))
        } else {
            var operation = operation
            operation.request.isReturned = true
            if !add(.operation(operation)) { add(.refused(operation)) }
        }
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
        guard takeRead() else {
            refuse(operation)
            return true
        }
        reader.answer(operation.request) { [self] in finishRead(operation, $0) }
        return true
    }

    /// Answers what came over a WebSocket as a request over HTTP is answered for which there is no room.
    func refuse(_ operation: RealtimeOperation) {
        perform(registry?.answered(operation.name, .overloaded) ?? [])
        meter.answered(operation.request.mark, nil, status: 503)
    }

    /// Counts a query in that waits for the reader; false where as many wait as may.
    private func takeRead() -> Bool {
        queue.withLock { queue in
            guard !queue.isStopped, queue.reads < queueLimit else { return false }
            queue.reads += 1
            return true
        }
    }

    private func noteRead(isAnswered: Bool) {
        queue.withLock { queue in
            queue.reads -= 1
            if isAnswered { queue.answeredReads += 1 }
        }
    }
}
