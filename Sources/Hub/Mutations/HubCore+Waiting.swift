import AppSync
import Basics

/// Something that a function is called for.
package struct FunctionCall: Sendable, Hashable {
    /// What the answer comes back with.
    package enum ID: Sendable, Hashable {
        /// A step of a request waits for it.
        case question(UInt64)
        /// A function gets what was committed.
        case delivery(function: String, number: Int64)
    }

    package let id: ID
    package let function: String
    package let payload: [UInt8]
}

/// What came of one turn of the hub.
package struct HubOutcome: Sendable {
    /// The requests' answers, in their order; nil for one that waits.
    package var answers: [HubAnswer?]
    /// What a request that waits is known by.
    package var tickets: [UInt64?]
    /// What each of them is measured as; nil for one that was refused before anything was carried out.
    package var works: [WorkKind?] = []
    /// Queries that are another thread's to answer, and whose they are.
    var queries: [(index: Int, caller: Caller)] = []
    /// The answers of requests that waited until now.
    package var finished: [(ticket: UInt64, answer: HubAnswer)] = []
    /// What was committed, in commit order.
    package var events: [CommittedChange] = []
    /// The functions to call; each outcome goes into a later turn.
    package var calls: [FunctionCall] = []
}

extension HubCore {
    /// Takes one turn: requests, and what functions have answered since the last one; what can be carried out shares a
    /// commit.
    ///
    /// A request with a mutation that needs a function waits, and holds up no other. Its answer comes in a later turn,
    /// under its ticket.
    ///
    /// - Parameter leavesQueries: whether queries are given back instead of answered, so that none of them, however it is
    ///   written, holds up a commit.
    package func perform(
        _ requests: [HubRequest], answered: [(id: FunctionCall.ID, outcome: FunctionOutcome)] = [],
        leavesQueries: Bool = false
    ) -> HubOutcome {
        var outcome = HubOutcome(
            answers: Array(repeating: nil, count: requests.count),
            tickets: Array(repeating: nil, count: requests.count),
            works: Array(repeating: nil, count: requests.count))
        for (id, result) in answered {
            switch id {
            case .question(let call): follow(room.handle(.answered(call: call, result), at: time.uptime()), &outcome)
            case .delivery(let function, let number): delivered(function, number, result)
            }
        }
        var fresh = sort(requests, leavesQueries, &outcome)
        repeat {
            let tickets = ready.sorted()
            ready.removeAll()
            // Who is refused changes what others wait for: what goes on is copied when all are looked at.
            let entitled = tickets.filter { renewRights($0, &outcome) }
            var runs = entitled.compactMap { suspended[$0] } + fresh.map(\.run)
            guard !runs.isEmpty || hasUnsavedDeliveries else { continue }
            let committed = commit(&runs)
            outcome.events += committed.events
            let places = Array(repeating: nil, count: runs.count - fresh.count) + fresh.map { Optional($0.index) }
            // All that wait are kept before any is concluded: what is over in one may let another of them go on.
            for index in runs.indices where committed.answers[index] == nil {
                keep(&runs[index], places[index], &outcome)
            }
            for (index, run) in runs.enumerated() {
                conclude(run, committed.answers[index], places[index], &outcome)
            }
            fresh = []
        } while !ready.isEmpty
        outcome.calls += dueDeliveries()
        return outcome
    }

    /// Answers everything that waits: the hub stops, or its schema changes. What was not carried out has left nothing behind.
    package func dismissWaiting() -> [(ticket: UInt64, answer: HubAnswer)] {
        let tickets = suspended.keys.sorted()
        room = WaitingRoom(after: room)
        suspended = [:]
        ready = []
        return tickets.map {
            ($0, .error(503, ErrorType.internalFailure, "The hub is stopping or changing; try again."))
        }
    }

    /// Answers what is no mutation, and gives what is.
    private func sort(
        _ requests: [HubRequest], _ leavesQueries: Bool, _ outcome: inout HubOutcome
    ) -> [(index: Int, run: MutationRun)] {
        var writes: [(index: Int, run: MutationRun)] = []
        var reads: [(index: Int, request: RunnableRequest)] = []
        for (index, request) in requests.enumerated() {
            switch runnable(request) {
            case .failure(let failure): outcome.answers[index] = failure.answer(extensions: extensions)
            case .success(let runnable):
                outcome.works[index] = runnable.work
                switch runnable.operation.kind {
                case .query where leavesQueries && !request.isReturned:
                    outcome.queries.append((index, runnable.rights.caller))
                case .query: reads.append((index, runnable))
                case .mutation where request.isReadOnly:
                    outcome.answers[index] = .error(
                        405, ErrorType.malformedHTTPRequest, "Mutations are sent by POST.")
                case .mutation: writes.append((index, MutationRun(runnable)))
                case .subscription:
                    outcome.answers[index] = RequestFailure.subscriptionOverHTTP.answer(extensions: extensions)
                }
            }
        }
        statistics.requests += UInt64(requests.count)
        for (index, request) in reads { outcome.answers[index] = reader.answer(request) }
        return writes
    }

    /// Gives a run that is to go on the rights that its sender has by now.
    ///
    /// - Returns: false where it does not go on: his credentials are not good any more, which is his answer.
    private func renewRights(_ ticket: UInt64, _ outcome: inout HubOutcome) -> Bool {
        guard let run = suspended[ticket] else { return false }
        let caller = run.request.rights.caller
        switch engine.authenticator.refreshed(caller, now: time.now().milliseconds) {
        case .success(let current):
            if current != caller { suspended[ticket]?.request.rights = rights(of: current) }
            return true
        case .failure(let refusal):
            engine.accessLog.turnedAway(refusal, request: run.request.id)
            // Refused as a whole says that nothing was carried out. Where some was, sending it again tells which.
            let isUntouched = run.outcomes.allSatisfy { $0 == nil }
            conclude(
                run,
                isUntouched
                    ? RequestFailure.refused(refusal).answer(extensions: extensions)
                    : .error(
                        503, ErrorType.internalFailure,
                        "Some of this request was carried out before its credentials ended; try again."),
                nil, &outcome)
            return false
        }
    }

    /// Keeps a run that waits, under a ticket.
    private func keep(_ run: inout MutationRun, _ place: Int?, _ outcome: inout HubOutcome) {
        if run.ticket == 0 {
            lastTicket += 1
            run.ticket = lastTicket
            if let place { outcome.tickets[place] = run.ticket }
        }
        var kept = run
        kept.asked = []
        kept.settled = []
        suspended[run.ticket] = kept
    }

    /// Notes what a committed pass has left of a run: its answer, or what it waits for.
    private func conclude(_ run: MutationRun, _ answer: HubAnswer?, _ place: Int?, _ outcome: inout HubOutcome) {
        if let answer {
            if run.ticket == 0, let place {
                outcome.answers[place] = answer
                return
            }
            suspended[run.ticket] = nil
            outcome.finished.append((run.ticket, answer))
            if answer.status == 200 {
                settle(run, &outcome)
            } else {
                // It could not be committed, so that nothing is known of its steps.
                follow(room.handle(.abandoned(ticket: run.ticket), at: time.uptime()), &outcome)
            }
            return
        }
        settle(run, &outcome)
        for item in run.asked {
            switch item {
            case .question(let index, let question, let keys):
                follow(
                    room.handle(
                        .asks(WaitingRoom.Step(ticket: run.ticket, index: index), question, keys), at: time.uptime()),
                    &outcome)
            case .join(let index, let key):
                follow(
                    room.handle(
                        .joins(WaitingRoom.Step(ticket: run.ticket, index: index), key), at: time.uptime()), &outcome)
            }
        }
    }

    /// Tells the waiting room which steps are over; who joined them takes over what was refused there.
    private func settle(_ run: MutationRun, _ outcome: inout HubOutcome) {
        for index in run.settled {
            let actions = room.handle(
                .settled(WaitingRoom.Step(ticket: run.ticket, index: index)), at: time.uptime())
            guard !actions.isEmpty, let members = run.members(of: index) else { continue }
            var refused: [WaitingRoom.MutationKey: ResponseError] = [:]
            for member in members {
                guard case .failure(let error)? = run.outcomes[member] else { continue }
                for key in keys(of: [member], run) { refused[key] = error }
            }
            for case .release(let step, _) in actions { suspended[step.ticket]?.inherited.merge(refused) { $1 } }
            follow(actions, &outcome)
        }
    }

    private func follow(_ actions: [WaitingRoom.Action], _ outcome: inout HubOutcome) {
        for action in actions {
            switch action {
            case .call(let call, let question):
                outcome.calls.append(
                    FunctionCall(id: .question(call), function: question.function, payload: question.payload))
            case .resume(let step, let question, let reply):
                guard suspended[step.ticket] != nil else { continue }
                let isAnswer = if case .answered = reply { true } else { false }
                let decision = Decision(reply: reply, version: isAnswer ? question.version : nil)
                switch question.kind {
                case .before:
                    suspended[step.ticket]?.decisions[question.key, default: FieldDecisions()].before = decision
                case .conflict:
                    suspended[step.ticket]?.decisions[question.key, default: FieldDecisions()].conflict = decision
                }
                goOn(step)
            case .release(let step, _): goOn(step)
            }
        }
    }

    private func goOn(_ step: WaitingRoom.Step) {
        guard suspended[step.ticket] != nil else { return }
        suspended[step.ticket]?.waiting.remove(step.index)
        ready.insert(step.ticket)
    }
}
