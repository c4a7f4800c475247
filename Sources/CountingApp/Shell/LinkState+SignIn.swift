import Basics

extension LinkState {
    /// How long the sign-in at the hub is good for where it will not be renewed; nil where it will, or is over already.
    func signInLeft(at moment: Moment) -> String? {
        guard let end = signInEnds, end > moment.wall else { return nil }
        return SupervisorApp.age(Int((end.milliseconds - moment.wall.milliseconds) / 1000))
    }
}
