"""Fun-CosyVoice3-0.5B: text and a reference recording to speech in that voice.

The files read in the order of the work: tokenizer, text, frontend, llm, sampling, flow, dit, vocoder, work, engine.
"""
