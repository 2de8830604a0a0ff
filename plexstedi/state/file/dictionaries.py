"""Preset dictionaries of the compressed columns: key names and phrases that the stored contents share.

A released dictionary never changes: contents compressed with it are kept for ever. A better one is added, and becomes
`NEWEST`. zlib writes the checksum of the dictionary used into the compressed content, so each content says which it is.
What is compressed without a dictionary says that, too.
"""

from __future__ import annotations

# The most frequent phrases are last: they are the nearest.
_FIRST = (
    b'"total_monetary_value_summary_TDS":"service_promotion_allowance_or_charge_information_SAC":"beginning_segment_fo'
    b'r_invoice_BIG":{"baseline_item_data_invoice_IT1_loop":[{"baseline_item_data_invoice_IT1":{"beginning_segment_for'
    b'_purchase_order_change_acknowledgment_BCA":{"beginning_segment_for_purchase_order_change_BCH":{"line_item_change'
    b'_POC_loop":[{"line_item_change_POC":{"pricing_information_CTP"ISA*00*          *00*          *ZZ*      *01*     '
    b"    *26*0700*^*00501*00000000*0*P*>~GS*PO**T*>~GS*PO*00*X*005010~ST*850*0001~BEG*00*SA*PO-**2026~CUR*BY*USD~ITD*"
    b"05******30~DTM*002*2026~TD5*****~N1*ST**92*~N3*~N4****US~N1*SU*~N1*BY**92*~N1*BT*~PO1*1**EA*.**BP**VP*~PID*F****"
    b'~SCH**EA***002*2026~CTT*3~AMT*TT*~SE**0001~GE*1*~IEA*1*0000[{"level":"order","record_id":"","line":null,"release'
    b'_number":null,"field":"EDI_Ack_Code","before":null,"after":"AD","value":"AD","why":"acknowledgment AD in transac'
    b'tion "},Status","before":null,"after":"confirmed","value":"confirmed","why":"3 of 3 lines acknowledged"},Referen'
    b'ce","before":null,"after":"","value":"nowledged_At","before":null,"after":"2026-11-","value":"2026-11-","why":"a'
    b'cknowledgment AD i{"order_id":"","order_number":"","target":"","entries":kind":"ack_code","value":"AD","asked":n'
    b'ullStatus","kind":"ack_status","value":"confirmed","asked":null,"why":"2 of 2 lines acknowledged"},Reference","k'
    b'ind":"ack_reference","value":"","asked":nullnowledged_At","kind":"acknowledged_at","value":"2026-11-","asked":nu'
    b'llSupplier_Reference","kind":"supplier{"level":"line","record_id":"","line":1Confirmed_Qty","kind":"confirmed_qu'
    b'antity","value":"","asked":null,"why":"line 1: ordered 180 EA, confirmed 180 (IA)"},Confirmed_Ship_Date","kind":'
    b'"confirmed_ship_date","value":"2026-12-Confirmed_Delivery_Date","kind":"confirmed_delivery_date","value":"2026-1'
    b'2-],"withheld":[]}{"heading":{"transaction_set_header_ST":{"transaction_set_identifier_code_01":"997","transacti'
    b'on_set_control_number_02":1},"functional_group_response_header_AK1":{"functional_identifier_code_01":"PO","group'
    b'_control_number_02":1},"transaction_set_response_header_AK2_loop":[{850"0001"},"transaction_set_response_trailer'
    b'_AK5":{"transaction_set_acknowledgment_code_01":"A"}}],"functional_group_response_trailer_AK9":{"functional_grou'
    b'p_acknowledge_code_01":"A","number_of_transaction_sets_included_02":1,"number_of_received_transaction_sets_03":1'
    b',"number_of_accepted_transaction_sets_04":1},"transaction_set_trailer_SE":{"number_of_included_segments_01":6"00'
    b'01"}}}{"transactionGroups":[{"transactionSettingId":"","transactions":[850beginning_segment_for_purchase_order_B'
    b'EG":{"transaction_set_purpose_code_01":"00","purchase_order_type_code_02":"SA","purchase_order_number_03":"","da'
    b'te_05":"2026-12-"},"currency_CUR":{"entity_identifier_code_01":"BY","currency_code_02":"USD"},"fob_related_instr'
    b'uctions_FOB":[{"shipment_method_of_payment_01":"CC"}],"terms_of_sale_deferred_terms_of_sale_ITD":[{"terms_type_c'
    b'ode_01":"05","terms_net_days_07":30}],"date_time_reference_DTM":[{"date_time_qualifier_01":"002","date_02":"2026'
    b'-12-"}],"carrier_details_routing_sequence_transit_time_TD5":[{"routing_05":""}],"extended_reference_information_'
    b'N9_loop":[{":{"reference_identification_qualifier_01":"L1","reference_identification_02":""},"text_MTX":[{"textu'
    b'al_data_02":""}]}],"party_identification_N1_loop":[{"party_identification_N1ST","name_02":"","identification_cod'
    b'e_qualifier_03":"92","identification_code_04":"P2"},"party_location_N3":[{"address_information_01":""}],"geograp'
    b'hic_location_N4":[{"city_name_01":"","state_or_province_code_02":"MI","postal_code_03":"","country_code_04":"US"'
    b'}]},{"party_identification_N1SU","name_02":"A]},"detail":{"baseline_item_data_PO1_loop":[{"baseline_item_data_PO'
    b'1":{"assigned_identification_01":"","quantity_02":,"unit_or_basis_for_measurement_code_03":"EA","unit_price_04":'
    b'0.0825,"product_service_id_qualifier_06":"BP","product_service_id_07":""8":"VP","product_service_id_09":""10":"E'
    b'C","product_service_id_11":"A"},"product_item_description_PID_loop":[{"product_item_description_PID":{"item_desc'
    b'ription_type_01":"F","description_05":""}}],"line_item_schedule_SCH_loop":[{"line_item_schedule_SCH":{"quantity_'
    b'01":":"EA","date_time_qualifier_05":"002","date_06":"2026-12-"}},9]},B2628]}]},"summary":{"transaction_totals_CT'
    b'T_loop":[{"transaction_totals_CTT":{"number_of_line_items_01":2},"monetary_amount_information_AMT":{"amount_qual'
    b'ifier_code_01":"TT","monetary_amount_02":526.23}}]}}]}],"filename":"","overrides":{"interchangeUsageIndicator":"'
    b'T"}855acknowledgment_BAKacknowledgment_type_02":"AD4":"2026-12-","reference_identification_08":"","date_09":"202'
    b'6-12-"},"reference_identification_REF":[VNordered_02":640.5LB","unit_price_04":1.887line_item_acknowledgment_ACK'
    b'_loop":[{"line_item_acknowledgment_ACK":{"line_item_status_code_01":"IA","quantity_02":640.5LB","date_time_quali'
    b'fier_04":"068","date_05":"2026-12-"},"date_time_reference_DTM":{"date_time_qualifier_01":"067","date_02":"2026-1'
    b'2-"}}]},ordered_02":":"EC","product_service_id_09":"B"},"36721168","date_06":"2026-12-","date_time_qualifier_08"'
    b':"067","date_09":"2026-12-"}},]},ordered_02":C"},"5844778427846}}]28"0001"}}}{"id":"","number":"","supplier_id":'
    b'"","supplier_code":"","supplier_address_id":"","phase":"released","status_name":"On Order","type_name":"","blank'
    b'et":true,"order_date":"2026-12-","due":"2026-12-","currency":"USD","terms":"Net 30","freight_terms":"","fob":"",'
    b'"ship_via":"","ship_to":"","note":null,"lines":[{"id":"","number":1,"state":"open","unit":"Ea","order_unit":"Ea"'
    b',"price":"","part":{"number":"","revision":"C"},"item":null,"supplier_part":"","manufacturer_part":null,"descrip'
    b'tion":"","note":null,"blanket_quantity":"","releasfirm","quantity":"","due":"2026-12-","ship_to":"","note":null,'
    b'"status_name":"Firm","modified_at":"2026-11-"},{"id":"","number":2,"state":"],"status_name":"Openopen","unit":"f'
    b't","order_unit":"ftnull],"status_name":"Open","modified_at":"2026-11-"}],"created_at":"2026-11-","modified_at":"'
    b'2026-11-"}{"number":"","release":null,"currency":"USD","lines":[{"line_id":"","line":1,"quantity":"","unit":"EA"'
    b',"price":"","price_basis":null,"items":{"BP":"","VP":"","EC":"A"},"schedules":[{"release_id":"","release_number"'
    b':1,"assigned_id":null},2,"assigned_id":null}]},{"line_id":"","line":2B}]}]}{"set_id":"855","order_number":"","ty'
    b'pe_code":"AD","supplier_reference":"","rejected":false,"holds":[],"lines":[{"line":1,"line_id":"","state":"confi'
    b'rmed","ordered":"","open":"","unit":"EA","confirmed":"","backordered":"0","rejected":"0","variance":"0","schedul'
    b'es":[{"quantity":"","backordered":false,"ship_date":"2026-12-","ship_qualifier":"068","delivery_date":"2026-12-"'
    b',"delivery_qualifier":"067",due":"2026-12-"}],"release_ids":[""],"code":"IA","price":"","price_sent":"","reasons'
    b'":[],"attention":false,"notes":[],"words":[],"listed":true,"whole":false,"date_pending":false,"if_accepted":null'
    b',"accepted":false,"knows":null}],"untouched":[],"unmatched":[],"earlier":[],"notices":[],"notes":[]}'
)

DICTIONARIES: tuple[bytes, ...] = (_FIRST,)
NEWEST = DICTIONARIES[-1]

# As `pack_event` joins them: actor, kind, detail, subject.
_EVENTS_FIRST = (
    b'taken-as-told\0note":"suspicion-overridden\0document-withdrawn\0unknown-file\0stedi-key-refused\0stedi-key-chang'
    b"ed\0release-left-alone\0order-without-document\0order-vanished\0order-not-traded\0known-order-ignored\0invoice-o"
    b"nboarded\0found-absent\0feed-token-taken\0feed-read-again\0delivery-retried\0delivery-failed\0order-onboarded\0i"
    b"nterchange-ack\0transaction-known\0write-adopted\0write-not-done\0write-not-seen\0document-settled\0document-rep"
    b'layed\0invoice-changed\0contents-dropped\0{"documents":0,"received":0}\0run\0sweep-started\0{"known_open":,"open'
    b'_orders":,"to_read":0,"why":"the first one"}\0run\0invoice-seen\0{"customer":"","known":false,"revision":1}\0inv'
    b'oice review-opened\0{"code":"","fix":"","message":"","review":"reasons":["order","error":"line":review-withdrawn'
    b'\0review-decided\0{"accept":true,"by":"","decision":"accepted","note":"rejected","reason":"","before":null,"afte'
    b'r":"order-changed\0{"before":"after":"phase":"closed","revision":2,"supplier":""}\0order "purpose":"04","revisio'
    b'n":2}"accepted_with_errors"rejected"}\0held"}\0duplicate"}\0ignored"}\0waiting"}\0superseded"}\0transaction conf'
    b'lict"}\0"refused"}\0"in_doubt"}\0not heard: not processed: "changed"}\0"backordered"}\0"partial"}\0document busi'
    b'ness-ack\0{"status":"confirmed"}\0document functional-ack\0{"status":"accepted"}\0document document-delivered\0{'
    b'}\0document document-accepted\0{"file_execution_id":"","group_control":1,"interchange_control":1}\0document atte'
    b'mpt-ended\0{"attempt":1,"outcome":"accepted"}\0document attempt-begun\0{"attempt":1,"sha256":""}\0document docum'
    b'ent-frozen\0{"adjusted":[],"document":"860","dropped":["order: FOB point Origin left out (X12 has codes for it, '
    b'and no table maps it; freight_terms sets FOB01)"],"file_name":"ps1__P_850_PO-_._c0_r1_.edi","key":"ps1__T_850_PO'
    b'-_._c0_r1","purpose":"00","replay_of":null,"revision":1}\0document order-seen\0{"known":false,"phase":"released"'
    b',"revision":1,"supplier":"S0"}\0order PO-write-done\0{"transaction":"write-planned\0{"fields":14,"sha256":"","tr'
    b'ansaction":"","write":1}\0order transaction-decided\0{"reason":null,"state":"applied"}\0transaction transaction-'
    b'listed\0{"left_alone":null,"partnership":"","set":"855","supplier":"transaction-listed\0{"left_alone":null,"part'
    b'nership":"","set":"997","supplier":""}\0transaction transaction-stored\0{"bytes":,"form":"guide-json","sha256":"'
    b'","form":"x12"}\0transaction plexstedi\0'
)
OF_EVENTS: tuple[bytes, ...] = (_EVENTS_FIRST,)
"""Those of events. The first byte of a stored event is the place of its dictionary here."""
