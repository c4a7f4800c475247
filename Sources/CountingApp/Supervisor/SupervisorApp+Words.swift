import Models
import Screens
import WarehouseModels

/// Texts in the language of whoever supervises.
extension SupervisorApp {
    func name(of kind: DecisionKind) -> String { words("sup.decision.\(kind.rawValue.filter { $0 != "_" })")[0] }

    /// `approve B-01-01 4711-AX`.
    func what(_ decision: FloorSnapshot.DecisionOnFloor) -> String {
        let count = ["count": String(decision.decision.targetIDs.count)]
        let object = decision.object ?? words("sup.together", count)[0]
        return [name(of: decision.decision.kind), object].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// What the desk wrote, in this person's language.
    func desk(_ text: String) -> [String] { DeskWords.texts(text, language: language) }

    func worded(_ phrase: Phrase) -> [String] { phrase.texts(language) }

    /// A text of the catalog in this person's language, its variants longest first.
    func words(_ key: String, _ arguments: [String: String] = [:]) -> [String] {
        AppScreens.shipped.text(key, arguments, language: language)
    }
}
