import Basics

extension HubWorker {
    /// Calls functions; what they answer comes back as events, and goes into the next turn.
    func call(_ calls: [FunctionCall]) {
        for call in calls {
            functions.call(call.function, call.payload) { [weak self] outcome in
                self?.add(.answered(call.id, outcome))
            }
        }
    }
}

extension HubGauges {
    /// The part of `/metrics` that tells of functions, and of what waits for them: that may be there without any.
    ///
    /// Anybody may read it: functions are numbered in the order in which they were configured, and not named.
    var functionMetrics: String {
        let waiting =
            single("deliveries_total", "counter", "What functions after mutations have taken.", core.deliveries)
            + single(
                "deliveries_waiting", "gauge", "What functions after mutations are to get.", core.deliveriesWaiting)
            + single(
                "deliveries_parked", "gauge", "What was given up because a function would not take it.",
                core.deliveriesParked)
        guard !functions.isEmpty else { return waiting }
        func family(_ name: String, _ kind: String, _ help: String, _ value: (FunctionRunner.Counts) -> String)
            -> String
        {
            let lines = functions.enumerated().map {
                "bincount_hub_function_\(name){function=\"\($0.offset + 1)\"} \(value($0.element))\n"
            }
            return "# HELP bincount_hub_function_\(name) \(help)\n# TYPE bincount_hub_function_\(name) \(kind)\n"
                + lines.joined()
        }
        return family("calls_total", "counter", "Calls of a function.") { "\($0.calls)" }
            + family("failures_total", "counter", "Calls that brought no answer.") { "\($0.failures)" }
            + family("milliseconds_total", "counter", "Time spent in calls.") { "\($0.milliseconds)" }
            + family("running", "gauge", "Calls under way.") { "\($0.running)" }
            + family("waiting", "gauge", "Calls that wait for their turn.") { "\($0.waiting)" }
            + single("waiting_mutations", "gauge", "Mutations that wait for a function.", waitingMutations)
            + waiting
    }

    private func single(_ name: String, _ kind: String, _ help: String, _ value: some CustomStringConvertible) -> String
    {
        "# HELP bincount_hub_\(name) \(help)\n# TYPE bincount_hub_\(name) \(kind)\nbincount_hub_\(name) \(value)\n"
    }
}
