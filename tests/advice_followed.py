# ruff: noqa: E501
"""Which test follows which advice: a piece of the text, and where the command in it is run in its situation.

Several texts share a test where they lead to the same command on the same kind of item.
"""

from __future__ import annotations

REVIEWS = "tests/commands/test_advice_of_reviews.py"
FAULTS = "tests/commands/test_advice_of_faults.py"
HOLDS = "tests/commands/test_advice_of_holds.py"
STATES = "tests/commands/test_advice_of_states.py"

FOLLOWED: dict[str, str] = {
    # Acknowledgments
    "ask the supplier for a corrected acknowledgment": f"{REVIEWS}::test_an_answer_that_cannot_be_read_is_rejected",
    "set acknowledgments.bp_quantity": f"{REVIEWS}::test_an_answer_that_a_setting_makes_clear_is_read_again",
    "check acknowledgments.": f"{REVIEWS}::test_an_answer_that_a_setting_makes_clear_is_read_again",
    "set ack_units.": f"{HOLDS}::test_an_answer_in_another_unit_is_read_again_and_applied",
    "accept or reject it; `plexstedi review show ID`": f"{REVIEWS}::test_a_line_that_was_changed_in_plex_after_it_was_sent",
    "the change goes out with `plexstedi submit`": f"{REVIEWS}::test_a_line_that_was_changed_in_plex_after_it_was_sent",
    "writes the rejection to Plex": f"{REVIEWS}::test_a_rejected_line_is_written_to_plex",
    "Make the setting that the reason names": f"{REVIEWS}::test_accepting_what_says_nothing_definite_names_the_way_on",
    "Correct the setting that the reason names": f"{REVIEWS}::test_accepting_what_says_nothing_definite_names_the_way_on",
    "Raise run.time_limit_minutes and run": f"{HOLDS}::test_an_answer_that_takes_too_long_is_decided_with_a_longer_limit_or_rejected",
    "raise run.max_response_mb": f"{HOLDS}::test_an_answer_that_is_too_large_is_rejected_and_stays_so",
    "If it is another plant's": f"{REVIEWS}::test_an_answer_that_may_be_another_plants_is_rejected_since_it_cannot_be_accepted",
    "The answer is left alone": f"{REVIEWS}::test_an_answer_of_an_order_nobody_knows_is_left_alone_and_taken_up_again",
    "shows the transactions of an order": f"{FAULTS}::test_a_review_that_is_not_there_or_decided_names_the_list",
    "Look at it with `plexstedi status NUMBER`": f"{REVIEWS}::test_a_backorder_is_looked_at_by_its_order",
    "There is nothing to reject here": f"{REVIEWS}::test_a_backorder_is_looked_at_by_its_order",
    "shows the open lines": f"{REVIEWS}::test_what_is_overdue_names_the_order_and_can_only_be_accepted",
    "see `plexstedi status --late`": f"{FAULTS}::test_late_answers_are_shown_by_the_command_that_the_warning_names",
    # Orders and invoices that are held
    "again, or settle it with the supplier and": f"{HOLDS}::test_an_order_whose_supplier_lost_its_table_is_settled",
    "(and the order to blanket in Plex); or settle it": f"{HOLDS}::test_releases_that_were_sent_singly_are_settled",
    "Tell the supplier otherwise and `plexstedi review accept ID --reason TEXT`, or add": f"{HOLDS}::test_a_cancellation_that_no_860_can_tell_is_told_by_a_person",
    "Tell the supplier otherwise and": f"{REVIEWS}::test_a_change_that_is_held_is_told_to_the_supplier_and_not_sent",
    "or tell the supplier and": f"{REVIEWS}::test_a_change_that_is_held_is_told_to_the_supplier_and_not_sent",
    "ettle it with the supplier and `plexstedi review": f"{REVIEWS}::test_a_change_that_is_held_is_told_to_the_supplier_and_not_sent",
    "and order anew under another number": f"{HOLDS}::test_an_order_that_moved_to_another_supplier_is_settled",
    "(a credit memo of Plex": f"{HOLDS}::test_an_invoice_that_changed_after_it_was_sent_is_settled",
    "takes it as known to the supplier": f"{REVIEWS}::test_a_changed_order_from_before",
    "Settle it with the supplier, then `plexstedi review accept": f"{REVIEWS}::test_files_of_an_order_that_plex_no_longer_has_are_settled_by_a_person",
    "Report it with this text": f"{REVIEWS}::test_what_nobody_foresaw_is_tried_again",
    "It cannot be rejected: it is tried again": f"{REVIEWS}::test_what_nobody_foresaw_is_tried_again",
    "Correct the record in Plex, or set [plex.fields]": f"{REVIEWS}::test_a_row_of_plex_that_cannot_be_read_is_read_again",
    "that receipts can be read": "tests/commands/test_demanding_guides.py::test_receipts_that_cannot_be_read_hold_the_change_and_check_names_them",
    # Documents
    "Correct partnership_id and": f"{REVIEWS}::test_a_setting_that_stedi_did_not_have",
    "Correct it in Plex, or the settings in": f"{REVIEWS}::test_a_document_that_stedi_refused",
    "Look for the file in the Stedi portal": f"{REVIEWS}::test_a_document_in_doubt_that_is_not_at_stedi",
    "a setting changed between two attempts": f"{REVIEWS}::test_another_content_under_the_key_of_a_document_then_recovered_and_replaced",
    "Stedi has this very document": f"{REVIEWS}::test_another_content_under_the_key_of_a_document_then_recovered_and_replaced",
    "it reads what Stedi really sent": f"{REVIEWS}::test_another_content_under_the_key_of_a_document_then_recovered_and_replaced",
    "Correct the settings or the guide, then": f"{REVIEWS}::test_a_997_that_rejects",
    "Correct the settings or the guide for the next": f"{REVIEWS}::test_a_997_with_errors_orders_nothing_a_second_time",
    "or settle it with the supplier and `plexstedi review accept": f"{REVIEWS}::test_a_ta1_that_rejects_the_interchange",
    "Do not send this one again": f"{HOLDS}::test_a_ta1_with_errors_orders_nothing_a_second_time",
    "which asks Stedi about it": f"{REVIEWS}::test_a_document_that_is_given_up_before_its_delivery_is_known",
    # Writes to Plex
    "Look at it in Plex": f"{REVIEWS}::test_a_write_that_plex_never_shows_is_written_again",
    "Look at who changed it in Plex": f"{STATES}::test_what_somebody_changed_in_plex_meanwhile_is_written_over_only_as_it_is_said",
    "Look whether another PlexStedi": f"{STATES}::test_a_reference_in_plex_that_is_not_known_is_decided_as_it_is_said",
    "Correct 7, then `plexstedi review accept": f"{REVIEWS}::test_a_write_that_plex_never_shows_is_written_again",
    "writes it": f"{STATES}::test_what_is_not_yet_written_is_written_by_the_command_that_status_names",
    "plans it anew": f"{STATES}::test_what_is_not_yet_written_is_written_by_the_command_that_status_names",
    # After `recover`
    "Compare both with": f"{REVIEWS}::test_a_recovered_order_that_the_supplier_has_as_it_is",
    "Nothing is sent by rejecting": f"{REVIEWS}::test_another_content_under_the_key_of_a_document_then_recovered_and_replaced",
    "Compare it in the Stedi portal": f"{REVIEWS}::test_a_recovered_invoice_that_differs_is_settled_and_none_is_sent_again",
    "Settle it with the customer, then": f"{REVIEWS}::test_a_recovered_invoice_that_differs_is_settled_and_none_is_sent_again",
    "known to the customer": f"{HOLDS}::test_an_invoice_without_a_document_from_here_is_sent_or_taken_as_known",
    # Commands of a person
    "Decide the item that `plexstedi review list`": f"{FAULTS}::test_a_document_in_doubt_is_decided_before_it_is_replayed",
    "settles it under the same key": f"{FAULTS}::test_a_replay_that_was_not_heard_is_ended_by_submit_and_sent_once",
    "was taken over by `recover`": f"{FAULTS}::test_a_recovered_order_is_replayed_with_the_purpose_that_is_named",
    "Open reviews: ": f"{FAULTS}::test_a_review_that_is_not_there_or_decided_names_the_list",
    "Look with `plexstedi review list`": f"{FAULTS}::test_a_review_that_is_not_there_or_decided_names_the_list",
    "Nothing is left to decide": f"{STATES}::test_a_review_item_that_is_decided_already_names_the_list",
    "`plexstedi status 7` shows it": f"{FAULTS}::test_two_orders_of_one_number_are_each_shown_by_the_id_that_is_named",
    "Write `plexstedi status 7` for the order": f"{FAULTS}::test_two_orders_of_one_number_are_each_shown_by_the_id_that_is_named",
    "Run `plexstedi poll`": f"{FAULTS}::test_nothing_read_yet_is_read_and_then_shown",
    "`plexstedi poll` reads them": f"{FAULTS}::test_nothing_read_yet_is_read_and_then_shown",
    "--help`": f"{FAULTS}::test_a_wrong_command_line_names_its_help",
    "`plexstedi review list`": f"{FAULTS}::test_a_review_that_is_not_there_or_decided_names_the_list",
    # Keys
    "Renew it, then run `plexstedi credentials set": f"{FAULTS}::test_a_secret_as_an_argument_or_an_empty_one_is_set_as_it_is_said",
    "Run it on a terminal": f"{FAULTS}::test_a_secret_as_an_argument_or_an_empty_one_is_set_as_it_is_said",
    "Make a new key in the Stedi portal and run": f"{FAULTS}::test_a_bad_next_key_is_set_again_and_the_good_one_stays",
    "Make a new key in the Stedi portal, `plexstedi": f"{FAULTS}::test_a_key_that_is_due_is_renewed_step_by_step",
    "as the user that runs plexstedi": f"{HOLDS}::test_a_secret_that_is_nowhere_is_set_and_check_goes_on",
    "run `plexstedi credentials set plex-password`": f"{HOLDS}::test_a_wrong_password_of_the_data_sources_is_renewed_where_it_is_kept",
    "run `plexstedi credentials set": f"{FAULTS}::test_a_bad_key_is_renewed_where_it_is_kept",
    "store it with `plexstedi credentials set NAME`": f"{FAULTS}::test_a_key_that_is_missing_is_set_and_then_used",
    "secrets go in with `plexstedi credentials set NAME`": f"{FAULTS}::test_a_key_that_is_missing_is_set_and_then_used",
    "Renew the key at developers.plex.com": f"{FAULTS}::test_a_bad_key_is_renewed_where_it_is_kept",
    "Then run `plexstedi credentials list`": f"{FAULTS}::test_a_keyring_key_that_others_read_is_closed_by_the_command_that_is_named",
    "  plexstedi credentials set": f"{HOLDS}::test_the_next_steps_of_init_are_taken_as_they_are_printed",
    # Configuration
    "then run `plexstedi check": f"{FAULTS}::test_a_wrong_configuration_is_corrected_and_looked_at",
    "then `plexstedi check --offline`": f"{FAULTS}::test_a_file_that_others_can_write_is_closed_by_the_command_that_is_named",
    "  plexstedi check": f"{HOLDS}::test_the_next_steps_of_init_are_taken_as_they_are_printed",
    "Make one with `plexstedi init`": f"{FAULTS}::test_a_configuration_that_is_missing_is_made_and_one_that_is_there_is_kept",
    "Change it by hand, or name another file": f"{FAULTS}::test_a_configuration_that_is_missing_is_made_and_one_that_is_there_is_kept",
    "`plexstedi notify --test` tries": f"{FAULTS}::test_an_alert_program_that_cannot_be_run_is_made_executable",
    # The state file
    "put back a backup from beside it": f"{FAULTS}::test_a_damaged_state_is_moved_away_and_recovered",
    "Put it back from a backup, or rebuild it": f"{FAULTS}::test_a_lost_state_is_recovered",
    "does not know what this run did": f"{STATES}::test_a_state_that_was_replaced_during_a_run_is_recovered_as_it_is_said",
    "An override sends only orders": f"{FAULTS}::test_a_lost_state_is_recovered",
    "again: it carries on": f"{STATES}::test_a_recovery_that_the_time_ended_carries_on_as_it_is_said",
    "Run `plexstedi audit verify`": f"{FAULTS}::test_an_edited_trail_is_verified",
}
