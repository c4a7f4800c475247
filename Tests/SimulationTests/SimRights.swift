import Models

@testable import DataStore

/// The rules of `@auth` once more, written without the hub's code.
enum SimRights {
    static func mayRead(_ record: Record, _ device: SimDevice, _ person: String? = nil) -> Bool {
        record.schema.authRules.contains { rule in
            guard rule.operations.contains(.get) else { return false }
            switch rule.allow {
            case .groups:
                if let field = rule.groupsField { return holds(record[field], device.role.group) }
                return rule.groups.contains(device.role.group)
            case .owner:
                let claim = rule.identityClaim == "device" ? device.name : person ?? device.person
                return rule.ownerField.map { holds(record[$0], claim) } ?? false
            case .private, .public, .custom: return false
            }
        }
    }

    private static func holds(_ value: Value, _ wanted: String) -> Bool {
        guard let text = value.text else { return false }
        return text == wanted || text.contains("\"\(wanted)\"")
    }
}
