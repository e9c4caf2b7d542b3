"""Questions that come from other programs and go to them: GIFT, Aiken, Moodle XML, CSV, XLSX.

Every format is read into one neutral model (`model`) and written from it. Nothing here knows the
web, the database or the clock. What cannot be carried is listed (`problems`), never dropped in
silence; what comes in is bounded, and its HTML is made harmless (`texts`).
"""
